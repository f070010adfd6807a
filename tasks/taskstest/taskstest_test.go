package taskstest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/tasks/taskstest"
)

func enqueue(t *testing.T, rec *taskstest.Recorder, task tasks.Task, opts ...tasks.Option) *tasks.Info {
	t.Helper()
	info, err := rec.Client().Enqueue(t.Context(), task, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestEnqueuedKeepsTheOrderOfAllQueues(t *testing.T) {
	t.Parallel()
	rec := taskstest.NewRecorder(t)
	var want []tasks.BlockUser
	for i, queue := range []string{"bulk", "critical", "default", "bulk", "critical"} {
		task := tasks.BlockUser{Owner: "ana", User: strings.Repeat("x", i+1)}
		enqueue(t, rec, task, tasks.Queue(queue), tasks.Key(task.User))
		enqueue(t, rec, task, tasks.Key(task.User)) // a duplicate is not there twice
		want = append(want, task)
	}
	if diff := cmp.Diff(want, taskstest.Enqueued[tasks.BlockUser](t, rec)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := taskstest.Enqueued[tasks.UnblockUser](t, rec); got != nil {
		t.Errorf("of another type: %v", got)
	}
}

func TestPerform(t *testing.T) {
	t.Parallel()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	conversation := srv.AddConversation("ana", "boris")
	sent := enqueue(t, rec, tasks.SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []tasks.Part{tasks.Text("one")}})
	enqueue(t, rec, tasks.SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []tasks.Part{tasks.Text("two")}}, tasks.In(time.Hour))

	done := rec.Perform(t, srv.Client(t))
	srv.WantMessages(t, conversation, "one", "two")
	if len(done) != 2 || done[0].ID != sent.ID || done[0].State != tasks.StateCompleted {
		t.Fatalf("done: %+v", done)
	}
	result, err := done[0].DecodeResult()
	if err != nil || result.MessageID.UUID() != sent.ID {
		t.Errorf("result %v, %v, want the message with the task's UUID", result, err)
	}
	if again := rec.Perform(t, srv.Client(t)); len(again) != 0 {
		t.Errorf("performed again: %+v", again)
	}
	next := enqueue(t, rec, tasks.SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []tasks.Part{tasks.Text("three")}})
	if next.State != tasks.StatePending {
		t.Errorf("nothing of its lane is left, and it is %s", next.State)
	}
}

func TestTryPerformArchivesWhatLayerRefuses(t *testing.T) {
	t.Parallel()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	enqueue(t, rec, tasks.SendMessage{Conversation: layer.ConversationID{1}, Sender: layer.FromUser("ana"), Parts: []tasks.Part{tasks.Text("one")}})
	enqueue(t, rec, tasks.BlockUser{Owner: "ana", User: "boris"})
	done := rec.TryPerform(t, srv.Client(t))
	if len(done) != 2 || done[0].State != tasks.StateArchived || !strings.Contains(done[0].Error, "not_found") || done[0].Code != "not_found" || done[0].Attempts != 1 {
		t.Errorf("done: %+v", done)
	}
	srv.WantBlocks(t, "ana", "boris")

	fake := &fakeT{}
	defer fake.end()
	enqueue(t, rec, tasks.SendMessage{Conversation: layer.ConversationID{1}, Sender: layer.FromUser("ana"), Parts: []tasks.Part{tasks.Text("one")}})
	rec.Perform(fake, srv.Client(t))
	if len(fake.reported) != 1 || !strings.Contains(fake.reported[0], "not_found") {
		t.Errorf("reported: %q", fake.reported)
	}
}

func TestExpiredTasksAreNotExecuted(t *testing.T) {
	t.Parallel()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	end := time.Now().Add(5 * time.Millisecond)
	enqueue(t, rec, tasks.BlockUser{Owner: "ana", User: "boris"}, tasks.Expires(end))
	<-time.After(time.Until(end) + time.Millisecond)
	done := rec.TryPerform(t, srv.Client(t))
	if len(done) != 1 || done[0].State != tasks.StateArchived || done[0].Attempts != 0 {
		t.Errorf("done: %+v", done)
	}
	srv.WantBlocks(t, "ana")
}

func TestPerformKeepsTheOrderOfAllQueuesAndLanes(t *testing.T) {
	t.Parallel()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	var want []string
	for i, queue := range []string{"bulk", "critical", "default", "bulk", "critical", "default"} {
		id := enqueue(t, rec, tasks.BlockUser{Owner: "ana", User: strings.Repeat("x", i+1)}, tasks.Queue(queue)).ID
		want = append(want, id.String())
	}
	var got []string
	for _, info := range rec.Perform(t, srv.Client(t)) {
		got = append(got, info.ID.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStartLeavesScheduledTasksAlone(t *testing.T) {
	t.Parallel()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	later := enqueue(t, rec, tasks.BlockUser{Owner: "ana", User: "chen"}, tasks.In(time.Hour))
	now := enqueue(t, rec, tasks.BlockUser{Owner: "ana", User: "boris"})
	rec.Start(t, srv.Client(t))
	if info, err := rec.Client().Wait(t.Context(), now.ID); err != nil || info.State != tasks.StateCompleted {
		t.Fatalf("Wait: %+v, %v", info, err)
	}
	if info, err := rec.Client().Status(t.Context(), later.ID); err != nil || info.State != tasks.StateScheduled {
		t.Errorf("Status: %+v, %v", info, err)
	}
	srv.WantBlocks(t, "ana", "boris")
}

func TestRequireFailuresSayWhatIsThere(t *testing.T) {
	t.Parallel()
	rec := taskstest.NewRecorder(t)
	fake := &fakeT{}
	defer fake.end()
	taskstest.RequireNothing(fake, rec)
	taskstest.RequireEnqueued[tasks.SendMessage](fake, rec)
	info := enqueue(t, rec, tasks.BlockUser{Owner: "ana", User: "chen"})
	taskstest.RequireEnqueued[tasks.SendMessage](fake, rec)
	taskstest.RequireNothing(fake, rec)
	want := []string{
		"taskstest: 0 tasks of type message:send were enqueued, want 1; there are: none",
		"taskstest: 0 tasks of type message:send were enqueued, want 1; there are: user:block " + info.ID.String() + " (pending)",
		"taskstest: want nothing enqueued; there are: user:block " + info.ID.String() + " (pending)",
	}
	if diff := cmp.Diff(want, fake.reported); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := taskstest.RequireEnqueued[tasks.BlockUser](t, rec); got.User != "chen" {
		t.Errorf("got %v", got)
	}
}
