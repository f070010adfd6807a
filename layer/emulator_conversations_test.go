package layer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestConversationsOfTheEmulator(t *testing.T) {
	t.Parallel()
	_, c := emulated(t, layertest.Switches{})
	ctx, id := t.Context(), uuid.New()
	made, err := c.Conversations.Create(ctx, id, layer.CreateConversationRequest{Participants: []string{"ana", "a/b"}, Metadata: layer.Metadata{"topic": "harbour"}})
	if err != nil || made.ID.UUID() != id || made.Distinct || made.Existing || made.CreatedAt.IsZero() {
		t.Fatalf("%+v, %v", made, err)
	}
	again, err := c.Conversations.Create(ctx, id, layer.CreateConversationRequest{Participants: []string{"ana"}})
	if err != nil || again.ID != made.ID {
		t.Errorf("the same UUID again: %+v, %v", again, err)
	}
	for name, edit := range map[string]func() error{
		"set": func() error {
			return c.Conversations.SetMetadata(ctx, made.ID, map[string]any{"pier.number": "7", "metadata.topic": "x"})
		},
		"delete": func() error { return c.Conversations.DeleteMetadata(ctx, made.ID, "topic", "absent") },
		"add":    func() error { return c.Conversations.AddParticipants(ctx, made.ID, "chen", "ana") },
		"remove": func() error { return c.Conversations.RemoveParticipants(ctx, made.ID, "a/b", "nobody") },
	} {
		if err := edit(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Conversations.DeleteMetadata(ctx, made.ID, "topic"); err != nil {
		t.Error(err)
	}
	got, err := c.Conversations.Get(ctx, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got.Participants)
	if diff := cmp.Diff([]string{"ana", "chen"}, got.Participants); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(layer.Metadata{"pier": map[string]any{"number": "7"}}, got.Metadata); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Conversations.ReplaceParticipants(ctx, made.ID, "dora"); err != nil {
		t.Error(err)
	}
	err = c.Conversations.Edit(ctx, made.ID, layer.Patch{}.Set("metadata.number", 7))
	wantCode(t, err, layer.CodeInvalidProperty)
	for range 2 { // deleting it again is no error
		if err := c.Conversations.Delete(ctx, made.ID); err != nil {
			t.Error(err)
		}
	}
	_, err = c.Conversations.Get(ctx, made.ID)
	wantCode(t, err, layer.CodeObjectDeleted)
	wantCode(t, c.Conversations.AddParticipants(ctx, made.ID, "ana"), layer.CodeObjectDeleted)
	wantCode(t, c.Conversations.Delete(ctx, layer.ConversationID(uuid.New())), layer.CodeNotFound)
	_, err = c.Conversations.Get(ctx, layer.ConversationID(uuid.New()))
	wantCode(t, err, layer.CodeNotFound)
}

func TestDistinctConversationsOfTheEmulator(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]layertest.Switches{
		"in March 2016": {}, "in June 2015": {RedirectDistinct: true, ResourceConflict: true}, "without Location": {NoDistinctLocation: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := emulated(t, switches)
			req := layer.CreateConversationRequest{Participants: []string{"ana", "boris"}, Distinct: true, Metadata: layer.Metadata{"a": "b"}}
			made, err := c.Conversations.Create(t.Context(), uuid.New(), req)
			if err != nil || made.Existing || !made.Distinct {
				t.Fatalf("%+v, %v", made, err)
			}
			for _, metadata := range []layer.Metadata{nil, {"a": "b"}} {
				req.Metadata = metadata
				found, err := c.Conversations.Create(t.Context(), uuid.New(), req)
				if err != nil || !found.Existing || found.ID != made.ID {
					t.Errorf("%+v, %v", found, err)
				}
			}
			for _, metadata := range []layer.Metadata{{}, {"a": "c"}} {
				req.Metadata = metadata
				_, err := c.Conversations.Create(t.Context(), uuid.New(), req)
				wantCode(t, err, layer.CodeConflict)
				if found, ok := layer.ExistingConversation(err); !ok || found.ID != made.ID || found.Metadata["a"] != "b" {
					t.Errorf("%+v", found)
				}
			}
		})
	}
}

func TestConversationsAsUserOfTheEmulator(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	ctx := t.Context()
	var ids []layer.ConversationID
	for range 7 {
		made, err := c.Conversations.Create(ctx, uuid.New(), layer.CreateConversationRequest{Participants: []string{"a/b", "boris"}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	<-time.After(2 * time.Millisecond) // the service's clock counts milliseconds, and equal times have no order
	if _, err := c.Messages.SendTextFromUser(ctx, ids[2], uuid.New(), "boris", "hi"); err != nil {
		t.Fatal(err)
	}
	got, err := c.Conversations.GetAsUser(ctx, "a/b", ids[2])
	if err != nil || got.UnreadMessageCount != 1 || got.LastMessage == nil || got.LastMessage.Parts[0].Body != "hi" {
		t.Fatalf("%+v, %v", got, err)
	}
	page, err := c.Conversations.ListAsUser(ctx, "a/b", layer.ConversationListOptions{PageSize: 3, SortBy: layer.SortByLastMessage})
	if err != nil || page.Total != 7 || len(page.Items) != 3 || page.Items[0].ID != ids[2] {
		t.Errorf("%+v, %v", page, err)
	}
	var walked []layer.ConversationID
	for conversation, err := range c.Conversations.AllAsUser(ctx, "a/b", layer.ConversationListOptions{PageSize: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		walked = append(walked, conversation.ID)
	}
	slices.Reverse(walked) // newest first
	if diff := cmp.Diff(ids, walked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Conversations.DeleteAsUser(ctx, "a/b", ids[0], layer.DeleteAndLeave); err != nil {
		t.Error(err)
	}
	server.WantParticipants(t, ids[0], "boris")
	if err := c.Conversations.DeleteAsUser(ctx, "a/b", ids[1], layer.DeleteForUser); err != nil {
		t.Error(err)
	}
	server.WantParticipants(t, ids[1], "a/b", "boris")
	if err := c.Conversations.DeleteAsUser(ctx, "a/b", ids[2], layer.DeleteForEveryone); err != nil {
		t.Error(err)
	}
	_, err = c.Conversations.Get(ctx, ids[2])
	wantCode(t, err, layer.CodeObjectDeleted)
	_, err = c.Conversations.GetAsUser(ctx, "stranger", ids[3])
	wantCode(t, err, layer.CodeNotFound)
	_, err = c.Conversations.ListAsUser(ctx, "stranger", layer.ConversationListOptions{})
	wantCode(t, err, layer.CodeNotFound)
	_, err = c.Conversations.ListAsUser(ctx, "boris", layer.ConversationListOptions{FromID: conv})
	wantCode(t, err, layer.CodeNotFound)
}
