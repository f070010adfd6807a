package tasks

import (
	"testing"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestSuspendAndUnsuspendUser(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	srv.AddConversation("ana") // makes the user known
	api := srv.Client(t)
	for _, c := range []struct {
		task Task
		want bool
	}{{SuspendUser{User: "ana"}, true}, {UnsuspendUser{User: "ana"}, false}} {
		performTwice(t, api, someID, c.task)
		if got, err := api.Users.Get(t.Context(), "ana"); err != nil || got.Suspended != c.want {
			t.Errorf("after %s: %+v, %v", c.task.Type(), got, err)
		}
	}
}

func TestSetBadge(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	api := srv.Client(t)
	for _, n := range []int{12, 0} {
		performTwice(t, api, someID, SetBadge{User: "ana", ExternalUnreadCount: &n})
		if got, err := api.Badges.Get(t.Context(), "ana"); err != nil || got.ExternalUnreadCount != n {
			t.Errorf("%+v, %v, want %d", got, err, n)
		}
	}
	for args, want := range map[string]string{
		`{"user":"ana"}`: "tasks: badge:set: external_unread_count: is missing",
		`{"user":"ana","external_unread_count":-1}`:  "tasks: badge:set: external_unread_count: is -1, must be 0 or more",
		`{"user":"ana","external_unread_count":1.5}`: "tasks: badge:set: external_unread_count: must be a whole number within its range",
		`{"user":"ana","external_unread_count":"1"}`: "tasks: badge:set: external_unread_count: is a string, must be a number",
	} {
		if _, err := New(TypeSetBadge, []byte(args)); errText(err) != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

func TestSendNotification(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	if _, err := perform(t, srv.Client(t), someID, SendNotification{Recipients: []string{"ana"}, Notification: &layer.Notification{Text: "tide is in"}}); err != nil {
		t.Fatal(err)
	}
	srv.WantRequests(t, 1)
	if err := (SendNotification{Recipients: []string{"ana"}}).Validate(); errText(err) != "notification: is missing" {
		t.Errorf("%v", err)
	}
}
