package tasks

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDecode feeds what may lie in a queue: no panic, an error with a bounded
// text and no task, or a task that is valid and keeps its content.
func FuzzDecode(f *testing.F) {
	for _, k := range types {
		_, payload := goldenPayload(f, k.name)
		f.Add(k.name, payload)
	}
	f.Add("user:block", []byte(`{"v":2,"args":{}}`))
	f.Add("message:send", []byte(strings.Repeat("[", 10_000)))
	f.Fuzz(func(t *testing.T, taskType string, payload []byte) {
		task, err := Decode(taskType, payload)
		if err != nil {
			checkRefusal(t, task, err)
			return
		}
		checkAccepted(t, taskType, task)
	})
}

// FuzzNew feeds what may stand in a bulk file.
func FuzzNew(f *testing.F) {
	f.Add("user:block", []byte(`{"owner":"ana","user":"boris"}`))
	f.Add("message:send", []byte(`{`+validMessage+`,"notification":{"data":{"n":1.5e3}}}`))
	f.Add("conversation:create", []byte(`{"participants":["a"],"metadata":{"a":{"b":"c"}}}`))
	f.Fuzz(func(t *testing.T, taskType string, args []byte) {
		task, err := New(taskType, args)
		if err != nil {
			checkRefusal(t, task, err)
			return
		}
		checkAccepted(t, taskType, task)
	})
}

func checkRefusal(t *testing.T, task Task, err error) {
	t.Helper()
	requireInvalid(t, err)
	if task != nil {
		t.Errorf("a task comes with %v", err)
	}
	if len(err.Error()) > 4_000 || strings.ContainsAny(err.Error(), "\x00\n") || !utf8.ValidString(err.Error()) {
		t.Errorf("%d bytes: %.4000q", len(err.Error()), err.Error())
	}
}

func checkAccepted(t *testing.T, taskType string, task Task) {
	t.Helper()
	if task.Type() != taskType {
		t.Fatalf("type %q, want %q", task.Type(), taskType)
	}
	if err := task.Validate(); err != nil {
		t.Fatal(err)
	}
	payload, err := Encode(task)
	if err != nil {
		return // escapes grow: what came with 256 KiB may leave with more
	}
	again, err := Decode(taskType, payload)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := Encode(again); err != nil || string(same) != string(payload) {
		t.Errorf("through the queue: %s, %v, want %s", same, err, payload)
	}
}
