package tasks

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestUpdateConversation(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	api := srv.Client(t)
	conversation := srv.AddConversation("ana", "boris")
	performTwice(t, api, someID, UpdateConversation{
		Conversation: conversation,
		Operations: layer.Patch{}.Add("participants", "chen").Remove("participants", "boris").
			Set("metadata.pier", map[string]any{"number": "8"}).Set("metadata.topic", "x").Delete("metadata.topic"),
	})
	srv.WantParticipants(t, conversation, "ana", "chen")
	got, err := api.Conversations.Get(t.Context(), conversation)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(layer.Metadata{"pier": map[string]any{"number": "8"}}, got.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestOperationsAreRefusedByPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, taskType, args, want string }{
		{"none", TypeUpdateConversation, `{` + conversation + `}`, "operations: has no operations"},
		{"an unknown member", TypeUpdateConversation, `{` + conversation + `,"operations":[{"op":"set"}]}`, "operations[0].op: is unknown; known here: operation, property, value"},
		{"an unknown operation", TypeUpdateConversation, `{` + conversation + `,"operations":[{"operation":"set","property":"metadata.a","value":"b"},{"operation":"replace","property":"metadata.a","value":"b"}]}`, `operations[1].operation: is "replace", want add, remove, set or delete`},
		{"a number in metadata", TypeUpdateConversation, `{` + conversation + `,"operations":[{"operation":"set","property":"metadata.a","value":5}]}`, "operations[0].value: is a number, Layer takes strings and objects of strings"},
		{"a property of something else", TypeUpdateConversation, `{` + conversation + `,"operations":[{"operation":"set","property":"blocks","value":[]}]}`, `operations[0].property: is "blocks"; a conversation has participants and metadata`},
		{"participants on a block list", TypeUpdateBlockList, `{"owner":"a","operations":[{"operation":"add","property":"participants","value":"b"}]}`, `operations[0].property: is "participants"; a block list has blocks`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(c.taskType, []byte(c.args))
			if diff := cmp.Diff("tasks: "+c.taskType+": "+c.want, errText(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
