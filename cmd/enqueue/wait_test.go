package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/console"
)

func TestWaitForTheResult(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	work(t, func(*asynq.Task) ([]byte, error) {
		return []byte(`{"message_id":"layer:///messages/` + id + `"}`), nil
	})
	args := strings.Fields(message + " --text Hello --wait --wait-timeout 1m --id " + id)
	got := c.want(console.Done, args...)
	want := "enqueued  " + id + "  message:send  default\n" +
		"completed " + id + "  message:send  default  {\"message_id\":\"layer:///messages/" + id + "\"}\n"
	if got.stdout != want || got.stderr != "" {
		t.Errorf("stdout %q, want %q; stderr %q", got.stdout, want, got.stderr)
	}
	// Again: it is done already, and one object is printed.
	got = c.want(console.Done, append(args, "--json")...)
	var info struct {
		State     string            `json:"state"`
		Duplicate bool              `json:"duplicate"`
		Result    map[string]string `json:"result"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &info); err != nil {
		t.Fatalf("%v: %q", err, got.stdout)
	}
	if info.State != "completed" || !info.Duplicate || info.Result["message_id"] != "layer:///messages/"+id {
		t.Errorf("got %+v", info)
	}
	if got := c.want(console.Done, "status", id); !strings.Contains(got.stdout, "state         completed\n") || !strings.Contains(got.stdout, "layer:///messages/"+id) {
		t.Errorf("status: %q", got.stdout)
	}
}

func TestWaitForATaskThatIsArchived(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	work(t, func(*asynq.Task) ([]byte, error) {
		return nil, errors.New("404 not_found: no such\x1b[31m conversation")
	})
	got := c.want(console.Failed, strings.Fields(block+" --wait --wait-timeout 1m --id "+id)...)
	if !strings.HasSuffix(got.stdout, "\narchived  "+id+"  user:block  default\n") || !strings.HasPrefix(got.stderr, "enqueue: "+id+" was archived: 404 not_found") {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(got.stdout+got.stderr, "\x1b") || strings.Contains(got.stderr, "--help") {
		t.Errorf("got %+v", got)
	}
	got = c.want(console.Failed, strings.Fields(block+" --wait --json --id "+id)...)
	if !strings.Contains(got.stdout, `"state":"archived"`) || !strings.Contains(got.stdout, `"error":"404 not_found`) || got.stderr != "enqueue: "+id+" was archived\n" {
		t.Errorf("as JSON: %+v", got)
	}
	c.want(console.Done, "status", id)
}

func TestWaitGivesUp(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	got := c.want(console.Failed, strings.Fields(block+" --wait --wait-timeout 50ms --id "+id)...)
	if want := "enqueue: not done after 50ms: " + id + " is still pending; look again with: enqueue status " + id + "\n"; got.stderr != want {
		t.Errorf("stderr %q, want %q", got.stderr, want)
	}
	got = c.want(console.Failed, strings.Fields(block+" --json --wait --wait-timeout 50ms --id "+id)...)
	if !strings.Contains(got.stdout, `"state":"pending"`) || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("as JSON: %q", got.stdout)
	}
}

func TestWaitIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	// The signal comes as soon as the task is in.
	code := run(ctx, strings.Fields(block+" --wait --id "+id), strings.NewReader(""), writerFunc(func(b []byte) (int, error) {
		interrupt()
		return stdout.Write(b)
	}), &stderr, newCLI(t).env)
	if code != console.Failed || !strings.Contains(stderr.String(), "enqueue: interrupted: "+id+" is still pending") {
		t.Errorf("exit %d, stderr %q", code, stderr.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
