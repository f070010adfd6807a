package bulk

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/tasks"
)

func newParser() *parser {
	return &parser{now: func() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC) }}
}

func TestWrongLines(t *testing.T) {
	t.Parallel()
	const args = `"args":{"owner":"alice","user":"mallory"}`
	var all strings.Builder
	for _, line := range []string{
		`nonsense`, `{`, `{}`, `[]`, `null`, `"text"`, `7`, `{"type":"user:block"}`, `{` + args + `}`, `{"type":"",` + args + `}`, `{"type":7,` + args + `}`, `{"type":null,` + args + `}`,
		`{"type":"user:blok",` + args + `}`, `{"type":"user:block","args":null}`, `{"type":"user:block","args":{}}`, `{"type":"user:block","args":[]}`, `{"type":"user:block","args":"x"}`,
		`{"type":"user:block","args":{"owner":"alice"}}`, `{"type":"user:block","args":{"owner":"alice","user":7}}`, `{"type":"user:block","args":{"owner":"alice","user":"m","x":1}}`,
		`{"type":"user:block","args":{"owner":"alice","owner":"bob","user":"m"}}`, `{"type":"user:block","args":{"owner":"a` + "\xff" + `","user":"m"}}`, `{"type":"user:block","args":{"owner":"a\u0000","user":"m"}}`,
		`{"type":"user:block",` + args + `,"queu":"bulk"}`, `{"type":"user:block",` + args + `,"type":"user:block"}`, `{"type":"user:block",` + args + `} {}`, `{"type":"user:block",` + args + `,}`, `{"type":"user:block",` + args,
		`{"type":"user:block",` + args + `,"key":7}`, `{"type":"user:block",` + args + `,"key":""}`, `{"type":"user:block",` + args + `,"key":"` + strings.Repeat("k", 1025) + `"}`, `{"type":"user:block",` + args + `,"key":"a\u0000b"}`,
		`{"type":"user:block",` + args + `,"id":"5"}`, `{"type":"user:block",` + args + `,"id":""}`, `{"type":"user:block",` + args + `,"id":"00000000-0000-0000-0000-000000000000"}`,
		`{"type":"user:block",` + args + `,"key":"k","id":"7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c"}`, `{"type":"user:block",` + args + `,"queue":"urgent"}`, `{"type":"user:block",` + args + `,"queue":""}`,
		`{"type":"user:block",` + args + `,"at":"tomorrow"}`, `{"type":"user:block",` + args + `,"at":1}`, `{"type":"user:block",` + args + `,"expires":"never"}`, `{"type":"user:block",` + args + `,"expires":"2001-01-01T00:00:00Z"}`, `{"type":"user:block",` + args + `,"in":"1h"}`,
		`{"type":"message:send","args":{"conversation":"x","sender":{},"parts":[]}}`, `{"type":"message:send","args":{"conversation":"7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c","sender":{"name":"Bot"},"parts":[{"mime_type":"text/plain","body":"x"},{"mime_type":"text/plain"}]}}`,
		`{"type":"message:send","args":{"parts":[{"body":` + strings.Repeat("[", 10_001), `{"type":"conversation:create","args":{"participants":["a"],"metadata":{"a b":{"c":1}}}}`, `{"type":"message:send","args":{"` + strings.Repeat("x", 300) + `":1}}`, "{\"\x1b[31m\":1}",
		`{"type":"identity:upsert","args":{"user":"a","identity":{"display_name":"` + strings.Repeat("x", 300_000) + `"}}}`,
	} {
		request, err := newParser().parse([]byte(line))
		if err == nil {
			if err = request.Validate(); err != nil {
				err = below("", err)
			}
		}
		if err == nil {
			t.Errorf("%.80q was taken", line)
			continue
		}
		if strings.ContainsAny(err.Error(), "\x00\x1b\n") || len(err.Error()) > 400 {
			t.Errorf("%.80q: %q", line, err)
		}
		fmt.Fprintf(&all, "%.120q\n    %v\n", line, err)
	}
	golden.Equal(t, "wrong_lines.golden", []byte(all.String()))
}

func TestKeysComeFromContentAndPlace(t *testing.T) {
	t.Parallel()
	const line = `{"type":"user:block","args":{"owner":"alice","user":"mallory"}}`
	first := keys(t, line, line)
	if first[0] == first[1] {
		t.Error("two equal lines are one task")
	}
	for _, tc := range []struct {
		name, line string
		same       bool
	}{
		{"the same line", line, true},
		{"written in another way", `{ "args": {"user":"m\u0061llory", "owner":"alice"}, "type": "user:block" }`, true},
		{"another arg", `{"type":"user:block","args":{"owner":"alice","user":"eve"}}`, false},
		{"another type", `{"type":"user:unblock","args":{"owner":"alice","user":"mallory"}}`, false},
		{"another queue", `{"type":"user:block","args":{"owner":"alice","user":"mallory"},"queue":"bulk"}`, false},
		{"a time", `{"type":"user:block","args":{"owner":"alice","user":"mallory"},"at":"2099-01-01T00:00:00Z"}`, false},
		{"an end", `{"type":"user:block","args":{"owner":"alice","user":"mallory"},"expires":"2099-01-01T00:00:00Z"}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			// The second stream has another line before it, which must not matter.
			again := keys(t, `{"type":"user:block","args":{"owner":"x","user":"y"}}`, tc.line)
			if same := again[1] == first[0]; same != tc.same {
				t.Errorf("the key is the same: %v, want %v", same, tc.same)
			}
		})
	}
}

// keys returns the keys that lines get.
func keys(t *testing.T, lines ...string) []string {
	t.Helper()
	var p places
	var all []string
	for _, line := range lines {
		var o object
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		task, err := tasks.New(*o.Type, o.Args)
		if err != nil {
			t.Fatal(err)
		}
		key, err := p.key(&o, task)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, key)
	}
	return all
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	var p places
	for i, want := range []uint32{1, 2, 3, 4} {
		if got := p.next(7); got != want {
			t.Errorf("place %d is %d, want %d", i, got, want)
		}
	}
	if got := p.next(8); got != 1 {
		t.Errorf("another hash: %d", got)
	}
}

// A million lines without a key must fit into the memory that is left for them.
//
//nolint:paralleltest // it measures the heap, which others would grow
func TestPlacesAreSmall(t *testing.T) {
	const lines, most = 1_000_000, 40 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var p places
	for i := range uint64(lines) {
		p.next(i * 0x9E3779B97F4A7C15)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if took := int64(after.HeapAlloc) - int64(before.HeapAlloc); took > most {
		t.Errorf("%d lines take %d bytes, want at most %d", lines, took, most)
	}
	runtime.KeepAlive(p)
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		`{"type":"user:block","args":{"owner":"alice","user":"mallory"}}`,
		`{"type":"message:send","args":{"conversation":"7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c","sender":{"name":"Bot"},"parts":[{"mime_type":"text/plain","body":"x"}]},"key":"k","queue":"bulk","at":"2099-01-01T00:00:00Z","expires":"2h"}`,
		`{"type":"conversation:create","args":{"participants":["a"],"metadata":{"a":{"b":"c"}}},"id":"7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c"}`,
		`{"type":"","args":[[[`, "\x00", `{"a/b":1}`, `{"type":"user:block","args":{"0":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) == 0 {
			return // a blank line is none
		}
		request, err := newParser().parse(line)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x00\x1b\n\r") || !utf8.ValidString(err.Error()) {
				t.Errorf("%q: %q", line, err)
			}
			return
		}
		if _, err := tasks.Encode(request.Task); err != nil {
			t.Errorf("%q was taken, but cannot be encoded: %v", line, err)
		}
	})
}
