package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/golden"
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
			"a message with a picture from a URL",
			[]string{"message", "--conversation", conversation, "--name", "Bot", "--part", "mime=image/png,url=https://example.com/a.png?w=1,2&s=x=y"},
			"message:send", `{"conversation":"layer:///conversations/7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c","sender":{"name":"Bot"},"parts":[{"mime_type":"image/png","source":"https://example.com/a.png?w=1,2&s=x=y"}]}`,
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
			got := c.want(console.Done, append(tc.args, "--id", id)...)
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

// A file that is too large for a body travels along; one that is too large for a
// task stays where the worker sees it, or is refused.
func TestFilesBecomeSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, size int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	carried, shared := write("a, b?.txt", 100<<10), write("large", 200<<10)
	for _, tc := range []struct {
		name, file, dirs string
		want             string // how the source begins
	}{
		{"one that travels along", carried, "", `"source":"data:;base64,eHh4`},
		{"one that the worker sees", carried, dir, `"source":"file://` + dir + `/a,%20b%3F.txt"`},
		{"a large one that the worker sees", shared, "/srv/other," + dir, `"source":"file://` + dir + `/large"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCLI(t)
			if tc.dirs != "" {
				c.env = append(c.env, "LAYERQ_SOURCE_DIRS="+tc.dirs)
			}
			c.want(console.Done, append(strings.Fields(message+" --id "+id+" --part"), "mime=text/plain,file="+tc.file)...)
			if payload := string(c.message(id).Payload); !strings.Contains(payload, tc.want) {
				t.Errorf("%.300s\nwant %s", payload, tc.want)
			}
		})
	}
	c := newCLI(t)
	got := c.want(console.Wrong, append(strings.Fields(message+" --text Hello --part mime=a,body=x --part"), "mime=text/plain,file="+shared)...)
	const want = "enqueue: --part (number 2): the file has 204800 bytes, and a task carries at most 131072; put it into a directory that workers share, or behind a https: URL\n"
	if !strings.HasPrefix(got.stderr, want) || c.keys() != 0 {
		t.Errorf("stderr %q\nwant %q", got.stderr, want)
	}
}

func TestTaskFromStandardInput(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	for _, args := range [][]string{{"task", "user:block", "-"}, {"task", "user:block"}} {
		if got := c.runWith("\ufeff{\"owner\":\"alice\",\"user\":\"mallory\"}\r\n", args...); got.code != console.Done {
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
			got := c.want(console.Done, append(strings.Fields(block+" --id "+id), tc.args...)...)
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
	if got := c.want(console.Done, args...); got.stdout != "enqueued  "+derived+"  user:block  default\n" {
		t.Errorf("first: %q", got.stdout)
	}
	if got := c.want(console.Done, args...); got.stdout != "duplicate "+derived+"  user:block  default  pending\n" {
		t.Errorf("second: %q", got.stdout)
	}
	if got := c.want(console.Done, append(args, "--json")...); !strings.Contains(got.stdout, `"duplicate":true`) {
		t.Errorf("as JSON: %q", got.stdout)
	}
	got := c.want(console.Failed, strings.Fields("block --owner alice --user eve --key k")...)
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
		got := c.want(console.Done, strings.Fields(args)...)
		if strings.Contains(args, "--json") && (!json.Valid([]byte(got.stdout)) || strings.Count(got.stdout, "\n") != 1) {
			t.Errorf("%s: %q is no line of JSON", args, got.stdout)
		}
		fmt.Fprintf(&all, "$ enqueue %s\n%s", args, got.stdout)
	}
	golden.Equal(t, "json.golden", times.ReplaceAll([]byte(all.String()), []byte("TIME")))
}
