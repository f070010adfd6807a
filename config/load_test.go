package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/layer"
)

func TestNothingIsTheSandbox(t *testing.T) {
	t.Parallel()
	got, err := worker(t)
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Worker{
		Sandbox:  true,
		RedisURL: config.SandboxRedisURL,
		Layer: config.Layer{
			BaseURL:    config.SandboxBaseURL,
			AppID:      layer.AppID(uuid.MustParse(config.SandboxAppID)),
			Token:      config.SandboxToken,
			APIVersion: "1.0",
			Timeout:    10 * time.Second,
		},
		Queues:          []config.Queue{{Name: "critical", Concurrency: 16}, {Name: "default", Concurrency: 32}, {Name: "bulk", Concurrency: 16}},
		CriticalReserve: 10,
		MaxAttempts:     25,
		RetryMin:        time.Second,
		RetryMax:        10 * time.Minute,
		DrainTimeout:    25 * time.Second,
		Retention:       24 * time.Hour,
		Sources:         config.Sources{MaxSize: 2 << 30, Timeout: 30 * time.Minute},
		AdminAddr:       "127.0.0.1:8080",
		Log:             config.Log{Format: "text", Level: slog.LevelInfo},
		Settings:        got.Settings,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestSettingsThatAreNoPlacesStayInTheSandbox(t *testing.T) {
	t.Parallel()
	got, err := worker(t, "LAYER_API_VERSION=1.1", "LAYER_TIMEOUT=1s", "LAYERQ_RATE_LIMIT=100/1s", "--queues=bulk=2")
	if err != nil {
		t.Fatal(err)
	}
	if !got.Sandbox || got.Layer.APIVersion != "1.1" || got.Layer.Timeout != time.Second || got.RateLimit != (config.RateLimit{Calls: 100, Per: time.Second}) {
		t.Errorf("got %+v", got)
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		lines []string
		want  int
	}{
		{"the default", nil, 25},
		{"environment over default", []string{"LAYERQ_MAX_ATTEMPTS=2"}, 2},
		{"flag over environment", []string{"LAYERQ_MAX_ATTEMPTS=2", "--max-attempts=3"}, 3},
		{"flag over default", []string{"--max-attempts=3"}, 3},
		{"the last of two equal variables, as in a shell", []string{"LAYERQ_MAX_ATTEMPTS=2", "LAYERQ_MAX_ATTEMPTS=4"}, 4},
		{"the last of two flags", []string{"--max-attempts=3", "--max-attempts=4"}, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := worker(t, tc.lines...)
			if err != nil {
				t.Fatal(err)
			}
			if got.MaxAttempts != tc.want {
				t.Errorf("got %d, want %d", got.MaxAttempts, tc.want)
			}
		})
	}
}

// Any variable takes _FILE: every one of the table is given as a file.
func TestEveryVariableAsAFile(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"REDIS_URL": "redis://h", "LAYER_BASE_URL": "https://h", "LAYER_APP_ID": config.SandboxAppID, "LAYER_TOKEN": "s3cret",
		"LAYER_API_VERSION": "1.1", "LAYER_TIMEOUT": "1s", "LAYERQ_QUEUES": "bulk=1", "LAYERQ_RATE_LIMIT": "1/1s", "LAYERQ_CRITICAL_RESERVE": "1%",
		"LAYERQ_MAX_ATTEMPTS": "1", "LAYERQ_RETRY_MIN": "2s", "LAYERQ_RETRY_MAX": "3s", "LAYERQ_DRAIN_TIMEOUT": "1s", "LAYERQ_RETENTION": "1s",
		"LAYERQ_SOURCE_DIRS": "/srv/a", "LAYERQ_SOURCE_PRIVATE": "true", "LAYERQ_SOURCE_MAX_SIZE": "1MiB", "LAYERQ_SOURCE_TIMEOUT": "1m",
		"LAYERQ_ADMIN_ADDR": ":1", "LAYERQ_ADMIN_TOKEN": "s3cret", "LAYERQ_LOG_FORMAT": "json", "LAYERQ_LOG_LEVEL": "error",
	}
	dir := t.TempDir()
	var environ []string
	for name, value := range values {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, name+"_FILE="+path)
	}
	got, err := worker(t, environ...)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range got.Settings {
		value := values[s.Variable]
		if value == "s3cret" {
			value = "****"
		}
		want := config.Setting{Name: s.Name, Variable: s.Variable, Value: value, From: "file", File: filepath.Join(dir, s.Variable)}
		if diff := cmp.Diff(want, s); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.Name, diff)
		}
	}
	if got.Layer.TokenFile != filepath.Join(dir, "LAYER_TOKEN") || got.Layer.Token != "s3cret" {
		t.Errorf("token %q of file %s", got.Layer.Token.Reveal(), got.Layer.TokenFile)
	}
}

func TestAFileThatIsTooLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := worker(t, "LAYERQ_ADMIN_TOKEN_FILE="+path)
	if err == nil || !strings.Contains(err.Error(), "larger than 65536 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsCanBeTakenApart(t *testing.T) {
	t.Parallel()
	_, err := worker(t, "LAYERQ_RETENTION=1ms")
	var one *config.Error
	if !errors.As(err, &one) {
		t.Fatalf("got %v", err)
	}
	if one.Setting != "retention" || one.Source != "LAYERQ_RETENTION" || one.Value != "1ms" || !one.HasValue {
		t.Errorf("got %+v", one)
	}
}

func TestProducer(t *testing.T) {
	t.Parallel()
	load := func(lines ...string) (*config.Producer, error) {
		flags := pflag.NewFlagSet("enqueue", pflag.ContinueOnError)
		config.ProducerFlags(flags)
		environ, args := split(lines)
		if err := flags.Parse(args); err != nil {
			t.Fatal(err)
		}
		return config.LoadProducer(flags, environ)
	}
	for _, tc := range []struct {
		name    string
		lines   []string
		url     config.RedisURL
		sandbox bool
		wrong   string
	}{
		{"nothing is the sandbox", nil, config.SandboxRedisURL, true, ""},
		{"a Redis alone is enough", []string{"REDIS_URL=redis://h"}, "redis://h", false, ""},
		{"what only a worker needs is not looked at", []string{"LAYERQ_QUEUES=nonsense", "LAYER_TOKEN=", "LAYER_BASE_URL=x"}, config.SandboxRedisURL, true, ""},
		{"an unknown variable is refused", []string{"LAYERQ_RETENTON=1h"}, "", false, "LAYERQ_RETENTON: is no variable of layerq, did you mean LAYERQ_RETENTION?"},
		{"a wrong retention", []string{"--retention=1d"}, "", false, `--retention="1d": is no duration`},
		{"an empty Redis", []string{"REDIS_URL="}, "", false, `REDIS_URL="": is empty`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := load(tc.lines...)
			if tc.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wrong) {
					t.Fatalf("got %v, want %s", err, tc.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.RedisURL != tc.url || got.Sandbox != tc.sandbox || got.Retention != 24*time.Hour {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	flags := pflag.NewFlagSet("worker", pflag.ContinueOnError)
	config.WorkerFlags(flags)
	golden.Equal(t, "flags.golden", []byte(flags.FlagUsages()))
}

func TestPrintJSON(t *testing.T) {
	t.Parallel()
	cfg, err := worker(t, append(base, "LAYERQ_ADMIN_TOKEN_FILE=testdata/secrets/token", "--queues=bulk=1")...)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := cfg.Settings.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "print_config.golden.json", out.Bytes())
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestPrintTellsThatItFailed(t *testing.T) {
	t.Parallel()
	cfg, err := worker(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cfg.Settings.WriteText(broken{}), cfg.Settings.WriteJSON(broken{})); err == nil || strings.Count(err.Error(), "disk full") != 2 {
		t.Errorf("got %v", err)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	golden.Equal(t, "settings.golden.md", []byte(config.Markdown()))
}

func ExampleMarkdown() {
	for line := range strings.Lines(config.Markdown()) {
		if strings.Contains(line, "LAYERQ_MAX_ATTEMPTS") {
			fmt.Print(strings.TrimSpace(line))
		}
	}
	// Output: | `LAYERQ_MAX_ATTEMPTS` | `--max-attempts` | `25` | attempts that Layer answered with a failure, before a task is archived | a whole number from 1 to 10000 |
}

func TestLoadWorker_refuses_a_reserve_of_no_limit(t *testing.T) {
	t.Parallel()
	for _, env := range [][]string{{"LAYERQ_CRITICAL_RESERVE=25%"}, {"LAYERQ_CRITICAL_RESERVE=0%", "LAYERQ_RATE_LIMIT=off"}} {
		_, err := worker(t, env...)
		if err == nil || !strings.Contains(err.Error(), "LAYERQ_CRITICAL_RESERVE=\"") || !strings.Contains(err.Error(), "LAYERQ_RATE_LIMIT=off") {
			t.Errorf("%q: %v", env, err)
		}
	}
	for _, env := range [][]string{nil, {"LAYERQ_RATE_LIMIT=off"}, {"LAYERQ_CRITICAL_RESERVE=25%", "LAYERQ_RATE_LIMIT=auto"}} {
		if got, err := worker(t, env...); err != nil || len(got.Warnings) > 0 {
			t.Errorf("%q: %q, %v", env, got.Warnings, err)
		}
	}
}
