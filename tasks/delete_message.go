package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeDeleteMessage is the type of [DeleteMessage]. Queued payloads outlive
// deploys: it is never renamed.
const TypeDeleteMessage = "message:delete"

// DeleteMessage destroys a message for all its recipients.
//
// Performed again it finds nothing: Layer answers [layer.CodeNotFound], as for a
// message that never was. See [TookEffect].
//
// Layer docs: Platform API, messages, "Deleting a message".
type DeleteMessage struct {
	Conversation layer.ConversationID `json:"conversation" jsonschema_description:"The conversation, as UUID or layer:///conversations/UUID."`
	Message      layer.MessageID      `json:"message" jsonschema_description:"The message, as UUID or layer:///messages/UUID."`
}

// Type returns [TypeDeleteMessage].
func (DeleteMessage) Type() string { return TypeDeleteMessage }

// Validate reports an id that is missing.
func (t DeleteMessage) Validate() error {
	return errors.Join(required("conversation", t.Conversation), required("message", t.Message))
}

func (t DeleteMessage) lane() (kind, of string) {
	return "conversation", t.Conversation.UUID().String()
}

func (t DeleteMessage) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Messages.Delete(ctx, t.Conversation, t.Message)
}

func (t DeleteMessage) tookEffect(err error) bool { return isGone(err) }
