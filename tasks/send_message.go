package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeSendMessage is the type of [SendMessage]. Queued payloads outlive
// deploys: it is never renamed.
const TypeSendMessage = "message:send"

// SendMessage posts one message to a conversation, from a participant or from
// a named service. Its result has the MessageID, which carries the task's UUID.
//
// Performed again it posts no second message: Layer answers the one it has for
// the dedupe UUID.
//
// Layer docs: Platform API, messages, "Send a message".
type SendMessage struct {
	Conversation layer.ConversationID `json:"conversation" jsonschema_description:"The conversation, as UUID or layer:///conversations/UUID."`
	Sender       layer.Sender         `json:"sender" jsonschema_description:"Who sends: a user, or a service by name."`
	Parts        []Part               `json:"parts" jsonschema:"minItems=1" jsonschema_description:"The content, in order."`
	Notification *layer.Notification  `json:"notification,omitzero" jsonschema_description:"The push notification that goes with it."`
}

// Type returns [TypeSendMessage].
func (SendMessage) Type() string { return TypeSendMessage }

// Validate reports every field that Layer would refuse.
func (t SendMessage) Validate() error {
	return errors.Join(required("conversation", t.Conversation), t.request().Validate())
}

func (t SendMessage) request() layer.SendMessageRequest {
	return layer.SendMessageRequest{Sender: t.Sender, Parts: inline(t.Parts), Notification: t.Notification}
}

func (t SendMessage) perform(ctx context.Context, api *layer.Client, id dedupe) (Result, error) {
	m, err := api.Messages.Send(ctx, t.Conversation, id.uuid(), t.request())
	if err != nil {
		return Result{}, err
	}
	return Result{MessageID: m.ID}, nil
}
