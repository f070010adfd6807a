package tasks

import (
	"context"

	"github.com/layerq/layerq/layer"
)

// TypeDeleteConversation is the type of [DeleteConversation]. Queued payloads
// outlive deploys: it is never renamed.
const TypeDeleteConversation = "conversation:delete"

// DeleteConversation destroys a conversation with its messages, for every
// participant.
//
// Performed again it changes nothing: deleting a deleted conversation succeeds.
//
// Layer docs: Platform API, conversations, "Deleting a conversation".
type DeleteConversation struct {
	Conversation layer.ConversationID `json:"conversation" jsonschema_description:"The conversation, as UUID or layer:///conversations/UUID."`
}

// Type returns [TypeDeleteConversation].
func (DeleteConversation) Type() string { return TypeDeleteConversation }

// Validate reports an id that is missing.
func (t DeleteConversation) Validate() error { return required("conversation", t.Conversation) }

func (t DeleteConversation) lane() (kind, of string) {
	return "conversation", t.Conversation.UUID().String()
}

func (t DeleteConversation) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Conversations.Delete(ctx, t.Conversation)
}

func (t DeleteConversation) tookEffect(err error) bool { return isGone(err) }
