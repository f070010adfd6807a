package worker

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// sayIn is a message to a conversation.
func sayIn(conversation layer.ConversationID, text string) tasks.Request {
	return tasks.Request{Task: tasks.SendMessage{
		Conversation: conversation, Sender: layer.Sender{UserID: "alice"}, Parts: []tasks.Part{tasks.Text(text)},
	}}
}

func (r *rig) enqueueAll(t *testing.T, requests []tasks.Request) {
	t.Helper()
	answers, err := r.tasks.EnqueueMany(t.Context(), requests)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
}

// idle waits until nothing is left to do.
func (r *rig) idle(t *testing.T, what string) {
	t.Helper()
	eventually(t, what, func() bool {
		queues, err := r.tasks.Queues(t.Context())
		if err != nil {
			return false
		}
		q := queues[1]
		return q.Pending+q.Waiting+q.Active+q.Retry+q.Scheduled == 0
	})
}

// Two workers, and a Layer that fails before and after the work and cuts connections:
// each conversation has its messages once, in the order in which they were enqueued.
func TestLanes_keep_the_order_of_conversations(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now, then, cut := 0.05, 0.05, 0.05
	r.layer.Fault(
		layertest.Rule{Probability: &now, Status: 503},
		layertest.Rule{Probability: &then, Status: 503, AfterCommit: true},
		layertest.Rule{Probability: &cut, DropConnection: true, AfterCommit: true},
	)
	const conversations, messages = 12, 25
	var requests []tasks.Request
	chats, want := make([]layer.ConversationID, conversations), make([]string, messages)
	for i := range chats {
		chats[i] = r.layer.AddConversation("alice", "bob")
	}
	for n := range want {
		want[n] = fmt.Sprint("message ", n)
		for _, chat := range chats {
			requests = append(requests, sayIn(chat, want[n]))
		}
	}
	r.enqueueAll(t, requests)
	r.worker(t, nil)
	r.worker(t, nil)
	r.idle(t, "all messages are sent")
	for _, chat := range chats {
		r.layer.WantMessages(t, chat, want...)
	}
	if keys := redistest.New(t).Keys(t.Context(), "layerq:*lane*").Val(); len(keys) > 0 {
		t.Errorf("%v are left", keys)
	}
}

// A conversation with very many waiting messages takes one slot.
func TestLanes_do_not_wait_for_a_hot_one(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	slow(r, 5*time.Millisecond)
	var requests []tasks.Request
	for range 200 {
		requests = append(requests, sayIn(r.conv, "hot"))
	}
	quiet := make([]layer.ConversationID, 25)
	for i := range quiet {
		quiet[i] = r.layer.AddConversation("alice", "bob")
		requests = append(requests, sayIn(quiet[i], "quiet"))
	}
	r.enqueueAll(t, requests)
	r.worker(t, nil)
	api := r.layer.Client(t)
	eventually(t, "the quiet conversations have theirs", func() bool {
		for _, chat := range quiet {
			if sent(t, api, chat) == 0 {
				return false
			}
		}
		return true
	})
	if n := sent(t, api, r.conv); n > 100 {
		t.Errorf("the hot conversation has %d of its messages before each of the others has its one", n)
	}
}

// sent counts the messages of a conversation.
func sent(t *testing.T, api *layer.Client, chat layer.ConversationID) int {
	t.Helper()
	page, err := api.Messages.List(t.Context(), chat, layer.ListOptions{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	return page.Total
}

// What somebody does in asynqmon to the head of a lane, or before its turn, does
// not stop the lane, and does not change the order.
func TestLanes_go_on_after_what_was_done_by_hand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	insp := asynq.NewInspectorFromRedisClient(redistest.New(t))
	var ids []string
	for n := range 5 {
		ids = append(ids, r.enqueue(t, sayIn(r.conv, strconv.Itoa(n)).Task).String())
	}
	if err := insp.DeleteTask(queue.Default, ids[0]); err != nil { // the head
		t.Fatal(err)
	}
	if err := insp.ArchiveTask(queue.Default, ids[2]); err != nil { // one that waits
		t.Fatal(err)
	}
	if err := insp.RunTask(queue.Default, ids[4]); err != nil { // before its turn
		t.Fatal(err)
	}
	r.worker(t, nil)
	r.idle(t, "the rest of the lane is done")
	r.layer.WantMessages(t, r.conv, "1", "3", "4")
}

// A task that stops its lane holds up what is behind it until somebody replays it.
func TestLanes_stop_where_that_was_asked_for(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.RefuseNext(422)
	first := r.enqueue(t, sayIn(r.conv, "first").Task, tasks.StopLaneOnFailure())
	second := r.enqueue(t, sayIn(r.conv, "second").Task)
	r.worker(t, nil)
	r.wantState(t, first, tasks.StateArchived)
	r.wantState(t, r.enqueue(t, sayIn(r.layer.AddConversation("alice", "bob"), "elsewhere").Task), tasks.StateCompleted)
	r.wantState(t, second, tasks.StateWaiting)
	replayed, err := queue.NewStore(redistest.New(t)).Replay(t.Context(), queue.Default, []string{first.String()})
	if err != nil || !replayed[0] {
		t.Fatalf("%v, %v", replayed, err)
	}
	r.wantState(t, second, tasks.StateCompleted)
	r.layer.WantMessages(t, r.conv, "first", "second")
}
