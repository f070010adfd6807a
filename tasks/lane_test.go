package tasks_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

func TestLaneOf(t *testing.T) {
	t.Parallel()
	conversation := layer.ConversationID(uuid.MustParse("22222222-2222-4222-8222-222222222222"))
	const chat = "conversation:22222222-2222-4222-8222-222222222222"
	for _, c := range []struct {
		task tasks.Task
		want string
	}{
		{tasks.SendMessage{Conversation: conversation}, chat},
		{tasks.DeleteMessage{Conversation: conversation}, chat},
		{tasks.UpdateConversation{Conversation: conversation}, chat},
		{tasks.DeleteConversation{Conversation: conversation}, chat},
		{tasks.BlockUser{Owner: "ana", User: "boris"}, "blocks:ana"},
		{tasks.UnblockUser{Owner: "ana", User: "boris"}, "blocks:ana"},
		{tasks.UpdateBlockList{Owner: "ana"}, "blocks:ana"},
		{tasks.UpsertIdentity{User: "ana"}, "user:ana"},
		{tasks.UpdateIdentity{User: "ana"}, "user:ana"},
		{tasks.DeleteIdentity{User: "ana"}, "user:ana"},
		{tasks.SetBadge{User: "ana"}, "user:ana"},
		{tasks.SuspendUser{User: "ana"}, "user:ana"},
		{tasks.UnsuspendUser{User: "ana"}, "user:ana"},
		{tasks.SendAnnouncement{}, ""},
		{tasks.SendNotification{}, ""},
		{tasks.CreateConversation{}, ""},
		{tasks.SetBadge{User: strings.Repeat("x", 257)}, "user:sha256-0000000000000000000000000000000000000000000000000000000000000000"},
	} {
		got := tasks.LaneOf(c.task)
		if strings.HasPrefix(c.want, "user:sha256-") {
			if len(got) != len(c.want) || !strings.HasPrefix(got, "user:sha256-") {
				t.Errorf("a long user id: %s", got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.task.Type(), got, c.want)
		}
	}
}

func TestEnqueueTellsThatATaskWaits(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	var states []tasks.State
	enqueue := func(task tasks.Task, opts ...tasks.Option) *tasks.Info {
		t.Helper()
		info, err := c.Enqueue(t.Context(), task, opts...)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, info.State)
		return info
	}
	block, unblock := tasks.BlockUser{Owner: "ana", User: "boris"}, tasks.UnblockUser{Owner: "ana", User: "boris"}
	enqueue(block)
	second := enqueue(unblock)
	enqueue(block, tasks.Unordered())
	enqueue(block, tasks.Lane("another"))
	enqueue(tasks.BlockUser{Owner: "chen", User: "boris"})
	enqueue(unblock, tasks.In(time.Hour))
	enqueue(unblock, tasks.Queue("critical"))
	enqueue(tasks.UnblockUser{Owner: "boris", User: "ana"}, tasks.Lane("another"))
	want := []tasks.State{"pending", "waiting", "pending", "pending", "pending", "scheduled", "pending", "waiting"}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := c.Enqueue(t.Context(), unblock, tasks.ID(second.ID))
	if err != nil || !again.Duplicate || again.State != tasks.StateWaiting || !again.NextAttemptAt.IsZero() {
		t.Errorf("%+v, %v, want a duplicate that waits", again, err)
	}
	queues, err := c.Queues(t.Context())
	if err != nil || queues[1].Waiting != 2 || queues[1].Scheduled != 1 || queues[1].Pending != 4 {
		t.Errorf("%+v, %v", queues, err)
	}
	lane := redistest.New(t).LRange(t.Context(), queue.LaneKey(queue.Default, "blocks:ana"), 0, -1).Val()
	if len(lane) != 1 || !strings.HasPrefix(lane[0], second.ID.String()+":") {
		t.Errorf("the lane has %v", lane)
	}
}

func TestLaneOptionsThatContradict(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	block := tasks.BlockUser{Owner: "ana", User: "boris"}
	for _, tc := range []struct {
		name string
		task tasks.Task
		opts []tasks.Option
		want string
	}{
		{"a lane and none", block, []tasks.Option{tasks.Lane("a"), tasks.Unordered()}, "lane"},
		{"an empty lane", block, []tasks.Option{tasks.Lane("")}, "lane"},
		{"a long lane", block, []tasks.Option{tasks.Lane(strings.Repeat("x", 257))}, "lane"},
		{"not UTF-8", block, []tasks.Option{tasks.Lane("\xff")}, "lane"},
		{"NUL", block, []tasks.Option{tasks.Lane("a\x00")}, "lane"},
		{"a stop without order", block, []tasks.Option{tasks.StopLaneOnFailure(), tasks.Unordered()}, "lane_stop_on_failure"},
		{"a stop without a lane", tasks.CreateConversation{Participants: []string{"ana"}}, []tasks.Option{tasks.StopLaneOnFailure()}, "lane_stop_on_failure"},
	} {
		_, err := c.Enqueue(t.Context(), tc.task, tc.opts...)
		invalid, ok := errors.AsType[*tasks.InvalidError](err)
		if !ok || len(invalid.Fields()) != 1 || invalid.Fields()[0].Field != tc.want {
			t.Errorf("%s: %v, want field %s refused", tc.name, err, tc.want)
		}
	}
	if n := redistest.New(t).DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}
