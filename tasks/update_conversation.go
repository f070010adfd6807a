package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeUpdateConversation is the type of [UpdateConversation]. Queued payloads
// outlive deploys: it is never renamed.
const TypeUpdateConversation = "conversation:update"

// UpdateConversation changes the participants and the metadata of a
// conversation by Layer-Patch operations, in their order.
//
// Performed again it makes the same changes again: each operation has the same
// effect twice as once. What another writer changed in between is changed
// back.
//
// Layer docs: Platform API, conversations, Layer Patch.
type UpdateConversation struct {
	Conversation layer.ConversationID `json:"conversation" jsonschema_description:"The conversation, as UUID or layer:///conversations/UUID."`
	Operations   layer.Patch          `json:"operations" jsonschema:"minItems=1" jsonschema_description:"Layer-Patch: adds, removes or sets participants; sets or deletes metadata."`
}

// Type returns [TypeUpdateConversation].
func (UpdateConversation) Type() string { return TypeUpdateConversation }

// Validate reports every operation that does not fit a conversation.
func (t UpdateConversation) Validate() error {
	return errors.Join(required("conversation", t.Conversation), below("operations", t.Operations.ValidateForConversation()))
}

func (t UpdateConversation) lane() (kind, of string) {
	return "conversation", t.Conversation.UUID().String()
}

func (t UpdateConversation) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Conversations.Edit(ctx, t.Conversation, t.Operations)
}
