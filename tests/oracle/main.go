// The oracle: what Go itself makes of the templates in cases.jsonl.
//
// It reads the cases from standard input and writes them again with Go's answers: "output", or "error" where there is
// none, "parse" or "execution". Anew, from this directory (Go 1.26 wrote what is there):
//
//	go run . < cases.jsonl > answered && mv answered cases.jsonl
//
// "event" names one of events.json, or file and line of a recorded one (flipt-1.61.0/changes:3, from 1). "differs" says
// why Flagcast's own answer is another. The event's version says which Flipt's types it is read into, or "flipt" does. Bytes of an output that are no UTF-8 come out as U+FFFD.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"strconv"
	"strings"
	"text/template"

	"oracle/audit"
	flipt138 "oracle/flipt138/audit"
	flipt143 "oracle/flipt143/audit"
)

type question struct {
	Template string  `json:"template"`
	Event    string  `json:"event"`
	Flipt    string  `json:"flipt,omitempty"`
	Output   *string `json:"output,omitempty"`
	Error    string  `json:"error,omitempty"`
	Differs  string  `json:"differs,omitempty"`
}

// Flipt's: https://github.com/flipt-io/flipt/blob/v1.61.0/internal/server/audit/template/executer.go
var functions = template.FuncMap{
	"toJson": func(value any) (string, error) {
		text, err := json.Marshal(value)
		return string(text), err
	},
}

func main() {
	named := map[string]json.RawMessage{}
	text, err := os.ReadFile("events.json")
	must(err)
	must(json.Unmarshal(text, &named))
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var asked question
		must(json.Unmarshal(lines.Bytes(), &asked))
		wire, ok := named[asked.Event]
		if !ok {
			wire = recorded(asked.Event)
		}
		asked.Output, asked.Error = fill(asked.Template, event(wire, asked.Flipt))
		must(out.Encode(asked))
	}
	must(lines.Err())
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// event reads an event as the Flipt that sends such ones has it: by its version, and for 0.1 by whether the one who did
// it has what a struct does not know. "flipt" in the case says which Flipt where nothing in the event does.
func event(wire []byte, flipt string) any {
	var seen struct {
		Version  string
		Metadata struct{ Actor map[string]any }
	}
	must(json.Unmarshal(wire, &seen))
	if flipt == "" {
		flipt = map[bool]string{true: "1.43", false: "1.61"}[seen.Version == "0.1"]
		for key := range seen.Metadata.Actor {
			if strings.HasPrefix(key, "io.flipt.") && seen.Version != "0.2" {
				flipt = "1.38"
			}
		}
	}
	switch flipt {
	case "1.38":
		return read[flipt138.Event](wire)
	case "1.43":
		return read[flipt143.Event](wire)
	}
	return read[audit.Event](wire)
}

func read[Event any](wire []byte) Event {
	var event Event
	must(json.Unmarshal(wire, &event))
	return event
}

func recorded(name string) []byte {
	file, number, _ := strings.Cut(name, ":")
	text, err := os.ReadFile("../captures/" + file + ".jsonl")
	must(err)
	index, err := strconv.Atoi(number)
	must(err)
	var request struct {
		Body string `json:"body"`
	}
	must(json.Unmarshal([]byte(strings.Split(string(text), "\n")[index-1]), &request))
	return []byte(request.Body)
}

func fill(body string, event any) (*string, string) {
	parsed, err := template.New("").Funcs(functions).Parse(body)
	if err != nil {
		return nil, "parse"
	}
	var written strings.Builder
	if err := parsed.Execute(&written, event); err != nil {
		return nil, "execution"
	}
	output := written.String()
	return &output, ""
}
