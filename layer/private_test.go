package layer_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer"
)

// TestErrorsRepeatNothingSent: a server may quote what it does not like.
func TestErrorsRepeatNothingSent(t *testing.T) {
	t.Parallel()
	identity := layer.Identity{DisplayName: "Zoë Q", EmailAddress: "zoe@mail.test", PhoneNumber: "+15550100", Metadata: map[string]string{"level": "gold"}}
	put := func(ctx context.Context, c *layer.Client) error { return c.Identities.Upsert(ctx, "zq", identity) }
	create := func(ctx context.Context, c *layer.Client) error {
		_, err := c.Conversations.Create(ctx, dedupe, layer.CreateConversationRequest{Participants: []string{"ana", "boris"}, Metadata: layer.Metadata{"topic": map[string]any{"mood": "Grim"}}})
		return err
	}
	patch := func(ctx context.Context, c *layer.Client) error {
		return c.Conversations.Edit(ctx, conv, layer.Patch{}.Set("metadata.mood", "Very grim").Set("metadata.message", "message"))
	}
	send := func(ctx context.Context, c *layer.Client) error {
		_, err := c.Messages.Send(ctx, conv, dedupe, layer.SendMessageRequest{
			Sender: layer.FromName("Pier"), Parts: []layer.Part{layer.Text("Say \"no\" to the very long evening, please, and to <him>")},
			Notification: &layer.Notification{Title: "Tide", Text: "It is in"},
		})
		return err
	}
	for name, c := range map[string]struct {
		call   func(context.Context, *layer.Client) error
		answer string
		hidden bool
	}{
		"a display name":               {put, "Bad name 'Zoë Q'", true},
		"an e-mail address":            {put, "zoe@mail.test is taken", true},
		"it in capitals":               {put, "ZOE@MAIL.TEST is taken", true},
		"a phone number":               {put, "no number: +15550100.", true},
		"a short value of metadata":    {put, "gold is not allowed", true},
		"a part of a longer word":      {put, "golden rules", false},
		"nested metadata":              {create, "grim", true},
		"a user":                       {create, "boris!", true},
		"a value of a patch":           {patch, "cannot set 'Very grim'", true},
		"the property of a patch":      {patch, "cannot set metadata.mood", false},
		"a word of the API as a value": {patch, "The referenced message has been deleted.", false},
		"a push title":                 {send, "Tide: too long", true},
		"a push text":                  {send, "It is in: too long", true},
		"the name of a sender":         {send, "sender Pier", true},
		"the beginning of a text":      {send, "Say \"no\" to the very long ev...", true},
		"a text as in JSON":            {send, `Say \"no\" to the very long`, true},
		"members of the request":       {send, "Object is missing required member 'parts' of text/plain", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := json.Marshal(map[string]any{"id": "invalid_property", "code": 105, "message": c.answer})
			if err != nil {
				t.Fatal(err)
			}
			f := newFake(t, answer(422, string(body)))
			err = c.call(t.Context(), f.client(t, layer.WithAttemptRetries(0)))
			if layer.CodeOf(err) != layer.CodeInvalidProperty {
				t.Fatalf("got %v", err)
			}
			if hidden := !strings.Contains(err.Error(), c.answer); hidden != c.hidden {
				t.Errorf("left out: %v, want %v: %v", hidden, c.hidden, err)
			}
		})
	}
}

func TestErrorsHaveNoTextAsCode(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(400, `{"id":"swordfish","message":"no"}`))
	err := f.client(t, layer.WithAttemptRetries(0)).Blocks.Block(t.Context(), "ana", "swordfish")
	if layer.CodeOf(err) != layer.CodeInvalidRequest || strings.Contains(err.Error(), "swordfish") {
		t.Errorf("got %v", err)
	}
}
