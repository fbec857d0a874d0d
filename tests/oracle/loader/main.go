// Reads each configuration of the lines of stdin as Flipt 1.61.1 reads one, by the same two libraries, and prints what
// its webhook sink is told: `go run . < cases.jsonl > answers.jsonl`.
//
// What Flipt sets up: https://github.com/flipt-io/flipt/blob/v1.61.1/internal/config/config.go, and the keys:
// https://github.com/flipt-io/flipt/blob/v1.61.1/internal/config/audit.go.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

type template struct {
	URL     string            `json:"url" mapstructure:"url"`
	Body    string            `json:"body" mapstructure:"body"`
	Headers map[string]string `json:"headers" mapstructure:"headers"`
}

type webhook struct {
	Enabled            bool          `json:"enabled" mapstructure:"enabled"`
	URL                string        `json:"url" mapstructure:"url"`
	MaxBackoffDuration time.Duration `json:"max_backoff_duration" mapstructure:"max_backoff_duration"`
	SigningSecret      string        `json:"signing_secret" mapstructure:"signing_secret"`
	Templates          []template    `json:"templates" mapstructure:"templates"`
}

type config struct {
	Version string `json:"version" mapstructure:"version"`
	Audit   struct {
		Sinks struct {
			Webhook webhook `json:"webhook" mapstructure:"webhook"`
		} `json:"sinks" mapstructure:"sinks"`
		Buffer struct {
			Capacity    int           `json:"capacity" mapstructure:"capacity"`
			FlushPeriod time.Duration `json:"flush_period" mapstructure:"flush_period"`
		} `json:"buffer" mapstructure:"buffer"`
		Events []string `json:"events" mapstructure:"events"`
	} `json:"audit" mapstructure:"audit"`
	Tracing struct {
		Enabled       bool    `json:"enabled" mapstructure:"enabled"`
		SamplingRatio float64 `json:"sampling_ratio" mapstructure:"sampling_ratio"`
	} `json:"tracing" mapstructure:"tracing"`
}

var keys = []string{
	"version", "audit.sinks.webhook.enabled", "audit.sinks.webhook.url", "audit.sinks.webhook.max_backoff_duration",
	"audit.sinks.webhook.signing_secret", "audit.sinks.webhook.templates", "audit.buffer.capacity",
	"audit.buffer.flush_period", "audit.events", "tracing.enabled", "tracing.sampling_ratio",
}

var whole = regexp.MustCompile(`^\${([a-zA-Z_]+[a-zA-Z0-9_]*)}$`)

// A text that is ${NAME} as a whole is that variable.
func variable(from reflect.Type, _ reflect.Type, data any) (any, error) {
	if from != reflect.TypeOf("") {
		return data, nil
	}
	if found := whole.FindStringSubmatch(data.(string)); found != nil {
		return os.Getenv(found[1]), nil
	}
	return data, nil
}

// A text where a list is wanted is its words.
func words(from reflect.Kind, to reflect.Kind, data any) (any, error) {
	if from != reflect.String || to != reflect.Slice {
		return data, nil
	}
	return strings.Fields(data.(string)), nil
}

func load(text string) (*config, error) {
	v := viper.New()
	v.SetEnvPrefix("FLIPT")
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	v.AutomaticEnv()
	v.SetConfigType("yml")
	if err := v.ReadConfig(strings.NewReader(text)); err != nil {
		return nil, err
	}
	for _, key := range keys {
		v.MustBindEnv(key)
	}
	v.SetDefault("audit", map[string]any{
		"sinks":  map[string]any{"webhook": map[string]any{"enabled": "false"}},
		"buffer": map[string]any{"capacity": 2, "flush_period": "2m"},
		"events": []string{"*:*"},
	})
	v.SetDefault("tracing", map[string]any{"enabled": false, "sampling_ratio": 1})
	read := &config{}
	hooks := mapstructure.ComposeDecodeHookFunc(variable, mapstructure.StringToTimeDurationHookFunc(), words)
	if err := v.Unmarshal(read, viper.DecodeHook(hooks)); err != nil {
		return nil, err
	}
	sink := read.Audit.Sinks.Webhook
	if sink.Enabled && sink.URL == "" && len(sink.Templates) == 0 {
		return nil, errors.New("url or template(s) not provided")
	}
	if sink.Enabled && sink.URL != "" && len(sink.Templates) > 0 {
		return nil, errors.New("only one of url or template(s) allowed")
	}
	return read, nil
}

func main() {
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one struct {
			Yaml    string            `json:"yaml"`
			Environ map[string]string `json:"environ"`
		}
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			panic(err)
		}
		for name, value := range one.Environ {
			os.Setenv(name, value)
		}
		read, err := load(one.Yaml)
		for name := range one.Environ {
			os.Unsetenv(name)
		}
		if err != nil {
			// Why is said in many ways, some of which hold the value; that it is refused is the answer.
			if len(os.Args) > 1 {
				fmt.Fprintln(os.Stderr, err)
			}
			out.Encode(map[string]any{"refused": true})
			continue
		}
		out.Encode(map[string]any{
			"webhook": read.Audit.Sinks.Webhook, "events": read.Audit.Events, "buffer": read.Audit.Buffer,
			"tracing": read.Tracing, "version": read.Version,
		})
	}
}
