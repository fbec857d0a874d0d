// Package audit has the event of Flipt before 1.39.0, version 0.1, in which who did it is a map:
// https://github.com/flipt-io/flipt/blob/v1.38.0/internal/server/audit/audit.go
package audit

type Event struct {
	Version   string   `json:"version"`
	Type      string   `json:"type"`
	Action    string   `json:"action"`
	Metadata  Metadata `json:"metadata"`
	Payload   any      `json:"payload"`
	Timestamp string   `json:"timestamp"`
}

type Metadata struct {
	Actor map[string]string `json:"actor,omitempty"`
}
