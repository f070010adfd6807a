package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/internal/redistest"
)

// stream is lines of which the third and the fifth are wrong.
const stream = `{"type":"user:block","args":{"owner":"alice","user":"mallory"}}
{"type":"user:block","args":{"owner":"alice","user":"eve"},"queue":"bulk","key":"k"}
{"type":"user:block","args":{"owner":"alice","user":7}}

nonsense
{"type":"message:send","args":{"conversation":"7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c","sender":{"name":"Bot"},"parts":[{"mime_type":"text/plain","body":"Hello"}]}}
{"type":"user:block","args":{"owner":"alice","user":"trent"},"key":"k"}
`

// file writes a stream into a file.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tasks.ndjson")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// duration is what differs from run to run.
var duration = regexp.MustCompile(`\(\d+\.\d s(, \d+/s)?\)|"seconds":[0-9.]+`)

func TestBulk(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args []string
		code int
		keys bool // whether something is in Redis afterwards
	}{
		{"lines", nil, console.Failed, true},
		{"json", []string{"--json"}, console.Failed, true},
		{"strict", []string{"--strict"}, console.Failed, false},
		{"strict_json", []string{"--strict", "--json"}, console.Failed, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCLI(t)
			fromFile := c.run(append([]string{"bulk", file(t, stream)}, tc.args...)...)
			if fromFile.code != tc.code || (c.keys() > 0) != tc.keys {
				t.Errorf("exit %d, %d keys in Redis", fromFile.code, c.keys())
			}
			shown := fmt.Sprintf("stdout:\n%sstderr:\n%s", fromFile.stdout, fromFile.stderr)
			golden.Equal(t, "bulk_"+tc.name+".golden", duration.ReplaceAll([]byte(shown), []byte("DURATION")))

			if err := redistest.New(t).FlushDB(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			fromStdin := c.runWith(stream, append([]string{"bulk", "-"}, tc.args...)...)
			if duration.ReplaceAllString(fromStdin.stdout, "") != duration.ReplaceAllString(fromFile.stdout, "") || fromStdin.stderr != fromFile.stderr {
				t.Errorf("from standard input: %+v", fromStdin)
			}
		})
	}
}

func TestBulkTwiceEnqueuesOnce(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	good := file(t, strings.ReplaceAll(strings.Repeat(stream[:strings.Index(stream, "\n")+1], 3), "\n", "\r\n"))
	for i, want := range []string{`{"read":3,"enqueued":3,"duplicate":0,`, `{"read":3,"enqueued":0,"duplicate":3,`} {
		args := []string{"bulk", "--json", good}
		if i == 1 {
			args = append(args, "--strict")
		}
		if got := c.want(console.Done, args...); !strings.HasPrefix(got.stdout, want) || got.stderr != "" {
			t.Errorf("run %d: %+v", i+1, got)
		}
	}
}

func TestBulkPutsLinesIntoTheQueueOfTheFlag(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.want(console.Done, "bulk", "--queue", "critical", file(t, stream[:strings.Index(stream, "nonsense")-1-len("\n"+`{"type":"user:block","args":{"owner":"alice","user":7}}`)]))
	var queues []struct{ Pending int }
	if err := json.Unmarshal([]byte(c.want(console.Done, "queues", "--json").stdout), &queues); err != nil {
		t.Fatal(err)
	}
	if queues[0].Pending != 1 || queues[1].Pending != 0 || queues[2].Pending != 1 {
		t.Errorf("got %+v", queues)
	}
}

func TestBulkIsInterruptedWhileTheStreamIsCopied(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	in, lines := io.Pipe()
	go func() {
		_, _ = io.WriteString(lines, stream)
		interrupt()
	}()
	t.Cleanup(func() { _ = lines.Close() })
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"bulk", "--strict"}, in, &stdout, &stderr, newCLI(t).env)
	if code != console.Failed || !strings.Contains(stderr.String(), "interrupted; nothing was enqueued") || stdout.Len() != 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

func TestBulkNamesTheWrongEncoding(t *testing.T) {
	t.Parallel()
	got := newCLI(t).want(console.Failed, "bulk", file(t, "\xff\xfe{\x00}\x00"))
	if !strings.Contains(got.stderr, "the input is UTF-16, must be UTF-8") {
		t.Errorf("got %+v", got)
	}
}

// What a worker reads itself from a shared directory is as valid with --strict.
func TestStrictKnowsSharedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.bin")
	if err := os.WriteFile(large, bytes.Repeat([]byte("x"), 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	line := `{"type":"message:send","args":` + rich(`"source":"file://`+large+`"`) + "}\n"
	c := newCLI(t)
	if got := c.runWith(line, "bulk", "--strict", "-"); got.code != console.Failed || !strings.Contains(got.stderr, "line 1: parts[0].source: the file has 204800 bytes") {
		t.Errorf("without a shared directory: %+v", got)
	}
	if got := c.runWith(line, "bulk", "--strict", "--source-dirs", dir, "-"); got.code != console.Done {
		t.Errorf("with one: %+v", got)
	}
}
