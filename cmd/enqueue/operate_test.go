package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/tasks"
)

// archived enqueues tasks of n users and has them given up.
func (c *cli) archived(n int) []string {
	c.t.Helper()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"type":"user:block","args":{"owner":"user%d","user":"m"},"id":"00000000-0000-4000-8000-%012d"}`+"\n", i, i)
	}
	if got := c.runWith(lines.String(), "bulk", "-"); got.code != console.Done {
		c.t.Fatalf("%+v", got)
	}
	rdb := redistest.New(c.t)
	inspector := asynq.NewInspectorFromRedisClient(rdb)
	ids := make([]string, n)
	for i := range n {
		ids[i] = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		code := "not_found"
		if i%2 == 1 {
			code = "expired"
		}
		err := errors.Join(inspector.ArchiveTask("default", ids[i]), rdb.HSet(c.t.Context(), queue.TaskKey("default", ids[i]), queue.FieldCode, code).Err())
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return ids
}

func TestArchivedLists(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	if got := c.want(console.Done, "archived"); got.stdout != "" || got.stderr != "enqueue: no task is archived\n" {
		t.Errorf("none: %+v", got)
	}
	ids := c.archived(4)
	all := c.want(console.Done, "archived")
	if lines := strings.Split(strings.TrimSpace(all.stdout), "\n"); len(lines) != 4 || !strings.Contains(lines[0], "  "+ids[0]+"  user:block  default  not_found  0") || all.stderr != "" {
		t.Errorf("all: %+v", all)
	}
	if got := c.want(console.Done, strings.Fields("archived --code expired --type user:block --queue default --since 1h")...); strings.Count(got.stdout, "\n") != 2 || strings.Contains(got.stdout, "not_found") {
		t.Errorf("some: %+v", got)
	}
	for _, args := range []string{"archived --queue bulk", "archived --type message:send", "archived --code poison"} {
		if got := c.want(console.Done, strings.Fields(args)...); got.stdout != "" || got.stderr != "enqueue: no archived task matches\n" {
			t.Errorf("%s: %+v", args, got)
		}
		if got := c.want(console.Done, strings.Fields(args+" --json")...); got.stdout+got.stderr != "" {
			t.Errorf("%s --json: %+v", args, got)
		}
	}
	for line := range strings.Lines(c.want(console.Done, "archived", "--json").stdout) {
		var info tasks.Info
		if err := json.Unmarshal([]byte(line), &info); err != nil || info.State != tasks.StateArchived || info.ArchivedAt.IsZero() || info.Code == "" {
			t.Errorf("%q: %+v, %v", line, info, err)
		}
	}
	if got := c.want(console.Done, "status", ids[0]); !strings.Contains(got.stdout, "archived at  ") || !strings.Contains(got.stdout, "code         not_found\n") {
		t.Errorf("status: %s", got.stdout)
	}
}

func TestWhatIsNotOursIsShownOnALine(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	taskType, taskID := "a\x1b[31m"+strings.Repeat("x", 1000), "00000000-0000-4000-8000-000000000001"
	rdb := redistest.New(t)
	if _, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask(taskType, nil), asynq.TaskID(taskID)); err != nil {
		t.Fatal(err)
	}
	if err := asynq.NewInspectorFromRedisClient(rdb).ArchiveTask("default", taskID); err != nil {
		t.Fatal(err)
	}
	code, result := "c\x1b[32m\u009b33m", "{\"message_id\":\"\u009b34m\"}" // ESC, and what some terminals take for it
	if err := rdb.HSet(t.Context(), queue.TaskKey("default", taskID), queue.FieldCode, code, queue.FieldResult, result).Err(); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"archived", "status " + taskID, "replay --dry-run"} {
		if got := c.want(console.Done, strings.Fields(args)...); strings.ContainsAny(got.stdout, "\x1b\u009b") || !strings.Contains(got.stdout, "c [32m 33m") || strings.Contains(got.stdout, strings.Repeat("x", 65)) || !strings.Contains(got.stdout, "xxx...") {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// summary reads the JSON that replay prints, without the time that it took.
func summary(t *testing.T, got outcome) replayed {
	t.Helper()
	var sum replayed
	if err := json.Unmarshal([]byte(got.stdout), &sum); err != nil {
		t.Fatalf("%+v: %v", got, err)
	}
	sum.Seconds = 0
	return sum
}

func TestReplayByFilter(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.archived(1101)
	if got := c.want(console.Done, strings.Fields("replay --code expired --dry-run")...); got.stdout != "tasks  type        code     queue\n  550  user:block  expired  default\n550 tasks would run again\n" {
		t.Errorf("dry run: %q", got.stdout)
	}
	if diff := cmp.Diff(replayed{Read: 1101, Left: 1101, DryRun: true}, summary(t, c.want(console.Done, strings.Fields("replay --dry-run --json")...))); diff != "" {
		t.Errorf("dry run as JSON (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(replayed{Read: 550, Replayed: 550}, summary(t, c.want(console.Done, strings.Fields("replay --code expired --json")...))); diff != "" {
		t.Errorf("by code (-want +got):\n%s", diff)
	}
	if got := c.want(console.Done, "replay"); !strings.HasPrefix(got.stdout, "read 551  replayed 551  skipped 0  missing 0  left 0  (") {
		t.Errorf("all: %q", got.stdout)
	}
	if diff := cmp.Diff(replayed{}, summary(t, c.want(console.Done, "replay", "--json"))); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	var queues []struct{ Pending, Archived int }
	if err := json.Unmarshal([]byte(c.want(console.Done, "queues", "--json").stdout), &queues); err != nil || queues[1].Pending != 1101 || queues[1].Archived != 0 {
		t.Errorf("%+v, %v", queues, err)
	}
}

func TestReplayByID(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	ids := c.archived(2)
	const none = "7c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69"
	if got := c.want(console.Done, "replay", ids[0]); !strings.HasPrefix(got.stdout, "read 1  replayed 1 ") || got.stderr != "" {
		t.Errorf("one: %+v", got)
	}
	got := c.want(console.Failed, "replay", "--json", ids[0], ids[1], none)
	if diff := cmp.Diff(replayed{Read: 3, Replayed: 1, Skipped: 1, Missing: 1}, summary(t, got)); diff != "" {
		t.Errorf("three (-want +got):\n%s", diff)
	}
	if want := "enqueue: " + ids[0] + " is pending, only archived tasks are replayed\nenqueue: there is no task " + none + "\n"; got.stderr != want {
		t.Errorf("stderr %q, want %q", got.stderr, want)
	}
}

func TestReplayKeepsToItsRate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rate string
		done int
		n    int
		wait string
	}{
		{"", 1000, replayBatch, "0s"},
		{"50/s", 0, 5, "0s"},
		{"50/s", 5, 5, "100ms"},
		{"100/m", 1, 1, "600ms"},
		{"100000/s", 0, replayBatch, "0s"},
		{"7/2s", 7, 1, "2s"},
	} {
		var p pace
		if tc.rate != "" {
			var err error
			if p, err = parseRate(tc.rate); err != nil {
				t.Fatal(err)
			}
		}
		if n, wait := p.next(tc.done, 0); n != tc.n || wait.String() != tc.wait {
			t.Errorf("%s after %d: %d in %v, want %d in %s", tc.rate, tc.done, n, wait, tc.n, tc.wait)
		}
	}
	c := newCLI(t)
	c.archived(30)
	if got := c.want(console.Done, strings.Fields("replay --rate 100/s --json")...); !strings.Contains(got.stdout, `"replayed":30,`) || strings.Contains(got.stdout, `"seconds":0}`) {
		t.Errorf("%+v", got)
	}
}

func TestCancelAndDelete(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	dead := c.archived(1)[0]
	c.want(console.Done, strings.Fields(block+" --in 1h --id "+id)...)
	if got := c.want(console.Done, "cancel", id); got.stdout != "cancelled  "+id+"  it was scheduled\n" {
		t.Errorf("cancel: %q", got.stdout)
	}
	if got := c.want(console.Failed, "cancel", id); !strings.HasPrefix(got.stderr, "enqueue: there is no task "+id) {
		t.Errorf("cancel again: %q", got.stderr)
	}
	if got := c.want(console.Failed, "cancel", dead); got.stderr != "enqueue: cancel "+dead+": it is archived: it is finished; see enqueue delete\n" {
		t.Errorf("cancel an archived one: %q", got.stderr)
	}
	if got := c.want(console.Done, "delete", "--json", dead); got.stdout != `{"id":"`+dead+`","done":"deleted","was":"archived"}`+"\n" {
		t.Errorf("delete: %q", got.stdout)
	}
	c.want(console.Failed, "status", dead)
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	for _, tc := range []struct{ args, want string }{
		{"pause bulk", "bulk  paused\n"},
		{"pause bulk", "bulk  was paused already\n"},
		{"resume bulk", "bulk  resumed\n"},
		{"resume bulk", "bulk  was not paused\n"},
		{"pause critical --json", `{"queue":"critical","paused":true,"changed":true}` + "\n"},
		{"resume critical --json", `{"queue":"critical","paused":false,"changed":true}` + "\n"},
	} {
		if got := c.want(console.Done, strings.Fields(tc.args)...); got.stdout != tc.want || got.stderr != "" {
			t.Errorf("%s: %+v", tc.args, got)
		}
	}
	c.want(console.Done, "pause", "bulk")
	if got := c.want(console.Done, "queues"); strings.Count(got.stdout, "paused") != 1 {
		t.Errorf("queues: %s", got.stdout)
	}
}

func TestUnorderedAndLanes(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.want(console.Done, strings.Fields(block)...)
	if got := c.want(console.Done, strings.Fields(block+" --json")...); !strings.Contains(got.stdout, `"state":"waiting"`) {
		t.Errorf("behind another of its lane: %s", got.stdout)
	}
	for _, flags := range []string{" --unordered", " --lane other", " --lane third --lane-stop-on-failure"} {
		if got := c.want(console.Done, strings.Fields(block+flags+" --json")...); !strings.Contains(got.stdout, `"state":"pending"`) {
			t.Errorf("%s: %s", flags, got.stdout)
		}
	}
	if got := c.runWith(`{"type":"user:block","args":{"owner":"alice","user":"eve"}}`, "bulk", "--unordered", "--json"); got.code != console.Done {
		t.Errorf("bulk: %+v", got)
	}
	if got := c.want(console.Done, "queues", "--json"); !strings.Contains(got.stdout, `"queue":"default","pending":5,"waiting":1`) {
		t.Errorf("queues: %s", got.stdout)
	}
}
