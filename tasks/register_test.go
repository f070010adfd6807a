package tasks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/internal/golden"
)

// goldenPayload returns the payload pinned for a task type. Adding a type
// means writing that file: what it holds is what workers must always take.
func goldenPayload(t testing.TB, taskType string) (name string, payload []byte) {
	t.Helper()
	name = "payload/" + strings.ReplaceAll(taskType, ":", "_") + ".golden.json"
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatalf(`%v: write the file by hand, {"v":1,"args":{...}} with every arg of %s`, err, taskType)
	}
	return name, b
}

func TestEveryTypeHasAGoldenPayload(t *testing.T) {
	t.Parallel()
	for _, k := range types {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			name, payload := goldenPayload(t, k.name)
			task, err := Decode(k.name, payload)
			if err != nil {
				t.Fatalf("%s is not taken any more: %v", name, err)
			}
			if got := task.Type(); got != k.name {
				t.Errorf("Type() = %q, want %q", got, k.name)
			}
			encoded, err := Encode(task)
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, name, indented(t, encoded))
		})
	}
}

func TestGoldenPayloadsUseEveryArg(t *testing.T) {
	t.Parallel()
	for _, k := range types {
		_, payload := goldenPayload(t, k.name)
		var p struct{ Args map[string]json.RawMessage }
		if err := json.Unmarshal(payload, &p); err != nil {
			t.Fatal(err)
		}
		for _, name := range memberNames(k.goType) {
			if _, ok := p.Args[name]; !ok {
				t.Errorf("golden payload of %s lacks the arg %q: a field that is not pinned may be renamed by accident", k.name, name)
			}
		}
	}
}

func TestNoGoldenPayloadIsLeftOver(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/payload/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".golden.json")
		if !slices.ContainsFunc(types, func(k kind) bool { return strings.ReplaceAll(k.name, ":", "_") == name }) {
			t.Errorf("%s belongs to no task type", f)
		}
	}
}

func TestTypesAreNamedAlike(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^[a-z]+:[a-z]+$`)
	for i, a := range types {
		if !shape.MatchString(a.name) {
			t.Errorf("%q is not resource:verb", a.name)
		}
		if !strings.HasSuffix(a.doc, ".") || strings.Count(a.doc, "\n") > 0 {
			t.Errorf("%s: %q is not one sentence", a.name, a.doc)
		}
		if a.goType.Kind() != reflect.Struct {
			t.Errorf("%s is a %v, want a struct", a.name, a.goType)
		}
		for _, b := range types[i+1:] {
			if strings.HasPrefix(a.name, b.name) || strings.HasPrefix(b.name, a.name) {
				t.Errorf("%q and %q: one begins with the other", a.name, b.name)
			}
		}
	}
}

func TestUnknownType(t *testing.T) {
	t.Parallel()
	known := "known are " + strings.Join(typeNames(), ", ")
	for _, c := range []struct{ name, taskType, want string }{
		{"a mistyped one suggests the nearest", "mesage:send", `tasks: type: "mesage:send" is unknown; did you mean "message:send"?`},
		{"a longer one that begins with a known one is another", "message:send_rich_content", `tasks: type: "message:send_rich_content" is unknown; ` + known},
		{"a prefix of a known one is another", "message", `tasks: type: "message" is unknown; ` + known},
		{"no type at all", "", "tasks: type: is missing; " + known},
		{"another case", "Message:Send", `tasks: type: "Message:Send" is unknown; did you mean "message:send"?`},
		{"a line of garbage is cut off and escaped", "\x00" + strings.Repeat("x", 1<<20), `tasks: type: "\x00` + strings.Repeat("x", 63) + `"... is unknown; ` + known},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Decode(c.taskType, []byte(`{"v":1,"args":{}}`))
			if diff := cmp.Diff(c.want, errText(err)); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
			_, err = New(c.taskType, []byte(`{}`))
			if diff := cmp.Diff(c.want, errText(err)); diff != "" {
				t.Errorf("New (-want +got):\n%s", diff)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func indented(t testing.TB, b []byte) []byte {
	t.Helper()
	v := jsontext.Value(b)
	if err := v.Indent(); err != nil {
		t.Fatal(err)
	}
	return append(v, '\n')
}
