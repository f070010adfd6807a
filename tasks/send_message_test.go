package tasks

import (
	"testing"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestSendMessage(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana", "boris")
	for i, sender := range []layer.Sender{layer.FromUser("ana"), layer.FromName("harbour")} {
		id := someID
		id[0] += byte(i)
		result := performTwice(t, srv.Client(t), id, SendMessage{
			Conversation: conversation,
			Sender:       sender,
			Parts:        []Part{Text("tide"), {MIMEType: "text/plain", Body: "aXMgaW4=", Encoding: "base64"}},
			Notification: &layer.Notification{Text: "tide is in", Recipients: layer.Overrides{{UserID: "boris", Text: "for you"}}},
		})
		if want := (Result{MessageID: layer.MessageID(id)}); result != want {
			t.Errorf("%+v, want %+v", result, want)
		}
	}
	srv.WantMessages(t, conversation, "tide is in", "tide is in")
}

func TestSendMessageWhoseAnswerGotLost(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana", "boris")
	srv.FailNext(503)
	performTwice(t, srv.Client(t), someID, SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []Part{Text("once")}})
	srv.WantMessages(t, conversation, "once")
}

func TestSendMessageToNobody(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	_, err := perform(t, srv.Client(t), someID, SendMessage{Conversation: layer.ConversationID(someID), Sender: layer.FromUser("ana"), Parts: []Part{Text("hello?")}})
	wantCode(t, err, layer.CodeNotFound)
}
