package tasks

import (
	"testing"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestDeleteMessage(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana", "boris")
	result, err := perform(t, srv.Client(t), someID, SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []Part{Text("oops")}})
	if err != nil {
		t.Fatal(err)
	}
	task := DeleteMessage{Conversation: conversation, Message: result.MessageID}
	wantGoneAfterwards(t, srv, task)
	srv.WantMessages(t, conversation)
}

func TestDeleteConversation(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana", "boris")
	performTwice(t, srv.Client(t), someID, DeleteConversation{Conversation: conversation})

	task := DeleteConversation{Conversation: layer.ConversationID(uuid.New())}
	_, err := perform(t, srv.Client(t), someID, task)
	wantCode(t, err, layer.CodeNotFound)
	if !TookEffect(task, err) {
		t.Error("a repeated attempt would be told from a first one by nothing else")
	}
}

func TestDeleteIdentity(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	performTwice(t, srv.Client(t), someID, UpsertIdentity{User: "ana", Identity: layer.Identity{DisplayName: "Ana"}})
	wantGoneAfterwards(t, srv, DeleteIdentity{User: "ana"})
}

// wantGoneAfterwards performs a deletion that succeeds once.
func wantGoneAfterwards(t *testing.T, srv *layertest.Server, task Task) {
	t.Helper()
	if _, err := perform(t, srv.Client(t), someID, task); err != nil {
		t.Fatal(err)
	}
	_, err := perform(t, srv.Client(t), someID, task)
	wantCode(t, err, layer.CodeNotFound)
	if !TookEffect(task, err) {
		t.Errorf("%v of a repeated attempt is not understood", err)
	}
}

func TestTookEffectKnowsWhatIsNoRepeat(t *testing.T) {
	t.Parallel()
	gone := &layer.Error{Status: 404, Code: layer.CodeNotFound}
	for _, c := range []struct {
		name string
		task Task
		err  error
	}{
		{"another error of a deletion", DeleteMessage{}, &layer.Error{Status: 403, Code: layer.CodeAccessDenied}},
		{"success", DeleteMessage{}, nil},
		{"a task that deletes nothing", SendMessage{}, gone},
		{"an update of what is not there", UpdateConversation{}, gone},
	} {
		if TookEffect(c.task, c.err) {
			t.Errorf("%s is taken for a repeat", c.name)
		}
	}
}
