package tasks

import (
	"testing"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestCreateConversation(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	result := performTwice(t, srv.Client(t), someID, CreateConversation{
		Participants: []string{"ana", "boris"},
		Metadata:     layer.Metadata{"topic": "harbour", "pier": map[string]any{"number": "7"}},
	})
	if want := (Result{ConversationID: layer.ConversationID(someID)}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
	if got := srv.Stats().Conversations; got != 1 {
		t.Errorf("%d conversations, want 1", got)
	}
	srv.WantParticipants(t, result.ConversationID, "ana", "boris")
}

func TestCreateDistinctConversation(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	harbour := CreateConversation{Participants: []string{"ana", "boris"}, Distinct: true, Metadata: layer.Metadata{"topic": "harbour"}}
	first := performTwice(t, srv.Client(t), uuid.New(), harbour)

	found := performTwice(t, srv.Client(t), uuid.New(), CreateConversation{Participants: []string{"boris", "ana"}, Distinct: true})
	if found != first {
		t.Errorf("found %+v, want %+v", found, first)
	}

	harbour.Metadata = layer.Metadata{"topic": "pier"}
	_, err := perform(t, srv.Client(t), uuid.New(), harbour)
	wantCode(t, err, layer.CodeConflict)
	if got := srv.Stats().Conversations; got != 1 {
		t.Errorf("%d conversations, want 1", got)
	}
}
