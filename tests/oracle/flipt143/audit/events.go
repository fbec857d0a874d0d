// Package audit has the event of Flipt 1.39.0 to 1.43.0, version 0.1:
// https://github.com/flipt-io/flipt/blob/v1.43.0/internal/server/audit/events.go
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
	Actor *Actor `json:"actor,omitempty"`
}

type Actor struct {
	Authentication string `json:"authentication,omitempty"`
	IP             string `json:"ip,omitempty"`
	Email          string `json:"email,omitempty"`
	Name           string `json:"name,omitempty"`
	Picture        string `json:"picture,omitempty"`
}
