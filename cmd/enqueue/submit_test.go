package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/tasks"
)

const id = "5c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69"

func TestEveryCommandEnqueuesItsTask(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		args     []string
		taskType string
		payload  string
	}{
		{
			"a message of a user",
			[]string{"message", "--conversation", strings.ToUpper(conversation), "--from", "alice", "--text", "Hello, Bob"},
			"message:send", `{"conversation":"layer:///conversations/7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c","sender":{"user_id":"alice"},"parts":[{"mime_type":"text/plain","body":"Hello, Bob"}]}`,
		},
		{
			"a message of several parts, in their order",
			[]string{
				"message", "--conversation", "layer:///conversations/" + conversation, "--name", "Bot", "--part", "mime=a/b,body=x,mime=y=z", "--text", "two",
				"--part", "mime=image/png,encoding=base64,body=aGk=", "--part", "mime=text/plain,file=testdata/input/hello.txt", "--push-title", "T", "--push-text", "P", "--push-sound", "S",
			},
			"message:send", `{"conversation":"layer:///conversations/7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c","sender":{"name":"Bot"},"parts":[{"mime_type":"a/b","body":"x,mime=y=z"},{"mime_type":"text/plain","body":"two"},` +
				`{"mime_type":"image/png","body":"aGk=","encoding":"base64"},{"mime_type":"text/plain","body":"SGVsbG8=","encoding":"base64"}],"notification":{"title":"T","text":"P","sound":"S"}}`,
		},
		{
			"an announcement",
			[]string{"announcement", "--to", "alice,bob", "--to", "carol", "--name", "Bot", "--text", "Hi"},
			"announcement:send", `{"recipients":["alice","bob","carol"],"sender":{"name":"Bot"},"parts":[{"mime_type":"text/plain","body":"Hi"}]}`,
		},
		{"a block", []string{"block", "--owner", "alice", "--user", "mallory"}, "user:block", `{"owner":"alice","user":"mallory"}`},
		{"an unblock", []string{"unblock", "--owner", "alice", "--user", "mallory"}, "user:unblock", `{"owner":"alice","user":"mallory"}`},
		{
			"an identity",
			[]string{
				"identity", "--user", "alice", "--display-name", "Alice", "--first-name", "A", "--last-name", "M", "--email-address", "a@example.com", "--phone-number", "1", "--avatar-url", "https://example.com/a", "--public-key", "k",
				"--metadata", "b=2=2", "--metadata", "a=1",
			},
			"identity:upsert", `{"user":"alice","identity":{"display_name":"Alice","avatar_url":"https://example.com/a","first_name":"A","last_name":"M","phone_number":"1","email_address":"a@example.com","public_key":"k","metadata":{"a":"1","b":"2=2"}}}`,
		},
		{
			"a conversation",
			[]string{"conversation", "--participants", "alice,bob", "--distinct", "--metadata", "title=Berth 4"},
			"conversation:create", `{"participants":["alice","bob"],"distinct":true,"metadata":{"title":"Berth 4"}}`,
		},
		{"a conversation without metadata", []string{"conversation", "--participants", "alice"}, "conversation:create", `{"participants":["alice"]}`},
		{"any task from an argument", []string{"task", "user:block", `{"owner":"alice","user":"mallory"}`}, "user:block", `{"owner":"alice","user":"mallory"}`},
		{"any task from a file", []string{"task", "user:block", "@testdata/input/block.json"}, "user:block", `{"owner":"alice","user":"mallory"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCLI(t)
			got := c.want(exitDone, append(tc.args, "--id", id)...)
			if want := fmt.Sprintf("enqueued  %s  %s  default\n", id, tc.taskType); got.stdout != want || got.stderr != "" {
				t.Errorf("stdout %q, want %q; stderr %q", got.stdout, want, got.stderr)
			}
			message := c.message(id)
			if diff := cmp.Diff(`{"v":1,"args":`+tc.payload+`}`, string(message.Payload)); diff != "" || message.Type != tc.taskType {
				t.Errorf("%s (-want +got):\n%s", message.Type, diff)
			}
		})
	}
}

func TestTaskFromStandardInput(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	for _, args := range [][]string{{"task", "user:block", "-"}, {"task", "user:block"}} {
		if got := c.runWith("\ufeff{\"owner\":\"alice\",\"user\":\"mallory\"}\r\n", args...); got.code != exitDone {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		args  []string
		stays string // how the line goes on behind the type
	}{
		{"a queue", []string{"--queue", "critical"}, "  critical\n"},
		{"a time", []string{"--at", "2099-07-01T09:30:00+02:00"}, "  default  runs at 2099-07-01T07:30:00Z\n"},
		{"a time that has passed", []string{"--at", "2001-07-01T09:30:00Z"}, "  default\n"},
		{"no delay", []string{"--in", "0s"}, "  default\n"},
		{"an end", []string{"--expires", "2099-07-01T09:30:00Z"}, "  default\n"},
		{"an end from now", []string{"--expires", "2h"}, "  default\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCLI(t)
			got := c.want(exitDone, append(strings.Fields(block+" --id "+id), tc.args...)...)
			if want := "enqueued  " + id + "  user:block" + tc.stays; got.stdout != want {
				t.Errorf("stdout %q, want %q", got.stdout, want)
			}
		})
	}
}

func TestTheSameKeyIsTheSameTask(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	args := strings.Fields(block + " --key k")
	derived := tasks.KeyID(tasks.TypeBlockUser, "k").String()
	if got := c.want(exitDone, args...); got.stdout != "enqueued  "+derived+"  user:block  default\n" {
		t.Errorf("first: %q", got.stdout)
	}
	if got := c.want(exitDone, args...); got.stdout != "duplicate "+derived+"  user:block  default  pending\n" {
		t.Errorf("second: %q", got.stdout)
	}
	if got := c.want(exitDone, append(args, "--json")...); !strings.Contains(got.stdout, `"duplicate":true`) {
		t.Errorf("as JSON: %q", got.stdout)
	}
	got := c.want(exitFailed, strings.Fields("block --owner alice --user eve --key k")...)
	if !strings.Contains(got.stderr, "belongs to another task with other args") || strings.Contains(got.stderr, "--help") {
		t.Errorf("other args: %q", got.stderr)
	}
}

// times replaces what differs from run to run.
var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)

func TestJSON(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	var all strings.Builder
	for _, args := range []string{
		block + " --json --id " + id,
		block + " --json --id " + id,
		"unblock --owner alice --user mallory --json --queue bulk --in 1h --id 6c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69",
		"status --json " + id,
		"status --json 6c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69",
		"status 6c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69",
	} {
		got := c.want(exitDone, strings.Fields(args)...)
		if strings.Contains(args, "--json") && (!json.Valid([]byte(got.stdout)) || strings.Count(got.stdout, "\n") != 1) {
			t.Errorf("%s: %q is no line of JSON", args, got.stdout)
		}
		fmt.Fprintf(&all, "$ enqueue %s\n%s", args, got.stdout)
	}
	golden.Equal(t, "json.golden", times.ReplaceAll([]byte(all.String()), []byte("TIME")))
}

func TestWaitForTheResult(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	work(t, func(*asynq.Task) ([]byte, error) {
		return []byte(`{"message_id":"layer:///messages/` + id + `"}`), nil
	})
	args := strings.Fields(message + " --text Hello --wait --wait-timeout 1m --id " + id)
	got := c.want(exitDone, args...)
	want := "enqueued  " + id + "  message:send  default\n" +
		"completed " + id + "  message:send  default  {\"message_id\":\"layer:///messages/" + id + "\"}\n"
	if got.stdout != want || got.stderr != "" {
		t.Errorf("stdout %q, want %q; stderr %q", got.stdout, want, got.stderr)
	}
	// Again: it is done already, and one object is printed.
	got = c.want(exitDone, append(args, "--json")...)
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
	if got := c.want(exitDone, "status", id); !strings.Contains(got.stdout, "state         completed\n") || !strings.Contains(got.stdout, "layer:///messages/"+id) {
		t.Errorf("status: %q", got.stdout)
	}
}

func TestWaitForATaskThatIsArchived(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	work(t, func(*asynq.Task) ([]byte, error) {
		return nil, errors.New("404 not_found: no such\x1b[31m conversation")
	})
	got := c.want(exitFailed, strings.Fields(block+" --wait --wait-timeout 1m --id "+id)...)
	if !strings.Contains(got.stdout, "\narchived  "+id+"  user:block  default  404 not_found") || !strings.Contains(got.stderr, "enqueue: "+id+" was archived: 404 not_found") {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(got.stdout+got.stderr, "\x1b") || strings.Contains(got.stderr, "--help") {
		t.Errorf("got %+v", got)
	}
	got = c.want(exitFailed, strings.Fields(block+" --wait --json --id "+id)...)
	if !strings.Contains(got.stdout, `"state":"archived"`) || !strings.Contains(got.stdout, `"error":"404 not_found`) {
		t.Errorf("as JSON: %+v", got)
	}
	c.want(exitDone, "status", id)
}

func TestWaitGivesUp(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	got := c.want(exitFailed, strings.Fields(block+" --wait --wait-timeout 50ms --id "+id)...)
	if want := "enqueue: not done after 50ms: " + id + " is still pending; look again with: enqueue status " + id + "\n"; got.stderr != want {
		t.Errorf("stderr %q, want %q", got.stderr, want)
	}
	got = c.want(exitFailed, strings.Fields(block+" --json --wait --wait-timeout 50ms --id "+id)...)
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
	if code != exitFailed || !strings.Contains(stderr.String(), "enqueue: interrupted: "+id+" is still pending") {
		t.Errorf("exit %d, stderr %q", code, stderr.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestStatusOfAnUnknownTask(t *testing.T) {
	t.Parallel()
	got := newCLI(t).want(exitFailed, "status", id)
	if want := "enqueue: there is no task " + id + ": it was never enqueued, was deleted, or is done with its retention over\n"; got.stderr != want || got.stdout != "" {
		t.Errorf("got %+v, want %q", got, want)
	}
}

func TestARedisThatIsNotThere(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{block, "status " + id, "queues", "bulk -"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			c := &cli{t: t, env: []string{"REDIS_URL=redis://me:hunter2@" + gone}}
			started := time.Now()
			got := c.want(exitFailed, strings.Fields(args)...)
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if !strings.Contains(got.stderr, "Redis at "+gone) || strings.Contains(got.stderr, "hunter2") || strings.Contains(got.stderr, "--help") || got.stdout != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestARedisThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := &cli{t: t, env: []string{"REDIS_URL=redis://" + listener.Addr().String()}}
	started := time.Now()
	got := c.want(exitFailed, strings.Fields(block)...)
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(got.stderr, "Redis at "+listener.Addr().String()+" does not answer") || !strings.Contains(got.stderr, "run again with --id ") {
		t.Errorf("stderr %q", got.stderr)
	}
	if got := c.want(exitFailed, strings.Fields(block+" --key k")...); !strings.Contains(got.stderr, "run the same again, which enqueues it once") {
		t.Errorf("with a key: stderr %q", got.stderr)
	}
}

func TestTheSandboxIsTheDefault(t *testing.T) {
	t.Parallel()
	// Whether a sandbox runs on this machine or not: the text of the command
	// that asks it names its address, or it is asked.
	got := (&cli{t: t}).run("status", id)
	if got.code != exitFailed || !strings.Contains(got.stderr, "there is no task "+id) && !strings.Contains(got.stderr, "Redis at 127.0.0.1:16379") {
		t.Errorf("got %+v", got)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.want(exitDone, strings.Fields(block+" --queue critical --in 1h")...)
	c.want(exitDone, strings.Fields(block)...)
	if err := redistest.New(t).Set(t.Context(), "asynq:{bulk}:paused", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	got := c.want(exitDone, "queues")
	latency := regexp.MustCompile(`(\d+(\.\d+)?(m|µ)?s|-) +running`)
	golden.Equal(t, "queues.golden", latency.ReplaceAll([]byte(got.stdout), []byte("LATENCY  running")))
	var infos []map[string]any
	if err := json.Unmarshal([]byte(c.want(exitDone, "queues", "--json").stdout), &infos); err != nil {
		t.Fatal(err)
	}
	if len(infos) != 3 || infos[0]["queue"] != "critical" || infos[0]["scheduled"] != 1.0 || infos[1]["pending"] != 1.0 || infos[2]["paused"] != true {
		t.Errorf("got %v", infos)
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	c := &cli{t: t}
	list := c.want(exitDone, "types").stdout
	if lines := strings.Count(list, "\n"); lines != len(tasks.Types()) || strings.Contains(list, " \n") {
		t.Errorf("%d lines, want %d without blanks at their ends:\n%s", lines, len(tasks.Types()), list)
	}
	var infos []tasks.TypeInfo
	if err := json.Unmarshal([]byte(c.want(exitDone, "types", "--json").stdout), &infos); err != nil {
		t.Fatal(err)
	}
	if len(infos) != len(tasks.Types()) {
		t.Errorf("%d types, want %d", len(infos), len(tasks.Types()))
	}
	for _, info := range infos {
		if !strings.Contains(list, info.Type+"  ") || !strings.Contains(list, "  "+info.Doc+"\n") {
			t.Errorf("%s is not listed", info.Type)
		}
		var schema map[string]any
		if err := json.Unmarshal([]byte(c.want(exitDone, "types", info.Type).stdout), &schema); err != nil || schema["title"] != info.Type {
			t.Errorf("%s: %v, %v", info.Type, schema["title"], err)
		}
		var one tasks.TypeInfo
		if err := json.Unmarshal([]byte(c.want(exitDone, "types", info.Type, "--json").stdout), &one); err != nil || one.Type != info.Type {
			t.Errorf("%s: %+v, %v", info.Type, one, err)
		}
	}
}
