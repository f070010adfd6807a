package tasks

import (
	"context"
	"errors"
	"slices"

	"github.com/layerq/layerq/layer"
)

// TypeSendMessage is the type of [SendMessage]. Queued payloads outlive
// deploys: it is never renamed.
const TypeSendMessage = "message:send"

// SendMessage posts one message to a conversation, from a participant or from
// a named service. Its result has the MessageID, which carries the task's UUID.
//
// Parts with a Source are fetched and uploaded first, as rich content. Each
// upload has a dedupe UUID of its own, derived from the task's.
//
// Performed again it posts no second message: Layer answers the one it has for
// the dedupe UUID. Nor does it upload again what was uploaded, see [WithDelivery];
// and where a source has vanished meanwhile, it finds the message that was sent.
//
// Layer docs: Platform API, messages, "Send a message"; rich content.
type SendMessage struct {
	Conversation layer.ConversationID `json:"conversation" jsonschema_description:"The conversation, as UUID or layer:///conversations/UUID."`
	Sender       layer.Sender         `json:"sender" jsonschema_description:"Who sends: a user, or a service by name."`
	Parts        []Part               `json:"parts" jsonschema:"minItems=1" jsonschema_description:"The content, in order."`
	Notification *layer.Notification  `json:"notification,omitzero" jsonschema_description:"The push notification that goes with it."`
}

// Type returns [TypeSendMessage].
func (SendMessage) Type() string { return TypeSendMessage }

// Validate reports every field that Layer would refuse. What is behind a Source
// is looked at later.
func (t SendMessage) Validate() error {
	sources := make([]error, len(t.Parts))
	for i, p := range t.Parts {
		if p.Source != "" {
			sources[i] = below(partField(i, ""), checkSource(p))
		}
	}
	return errors.Join(required("conversation", t.Conversation), t.request(t.placeholders()).Validate(), errors.Join(sources...))
}

// placeholders are the parts with something valid in the place of each source,
// so that the others can be checked as they are sent.
func (t SendMessage) placeholders() []layer.Part {
	parts := inline(t.Parts)
	for i, p := range t.Parts {
		if p.Source != "" {
			parts[i] = layer.Text("a source")
		}
	}
	return parts
}

func (t SendMessage) hasSource() bool {
	return slices.ContainsFunc(t.Parts, func(p Part) bool { return p.Source != "" })
}

func (t SendMessage) request(parts []layer.Part) layer.SendMessageRequest {
	return layer.SendMessageRequest{Sender: t.Sender, Parts: parts, Notification: t.Notification}
}

// load reads the files that workers could not.
func (t SendMessage) load(shared []string) (Task, error) {
	parts, err := loadParts(t.Parts, shared)
	t.Parts = parts
	return t, err
}

func (t SendMessage) lane() (kind, of string) { return "conversation", t.Conversation.UUID().String() }

func (t SendMessage) perform(ctx context.Context, api *layer.Client, id dedupe) (Result, error) {
	return t.performFrom(ctx, api, id, performance{sources: defaultSources})
}

func (t SendMessage) performFrom(ctx context.Context, api *layer.Client, id dedupe, p performance) (Result, error) {
	up := uploader{api: api, conversation: t.Conversation, id: id, performance: p}
	parts, err := up.parts(ctx, t.Parts)
	if err != nil {
		return t.sentBefore(ctx, api, id, err)
	}
	m, err := api.Messages.Send(ctx, t.Conversation, id.uuid(), t.request(parts))
	if err != nil {
		return Result{}, err
	}
	return Result{MessageID: m.ID}, nil
}

// sentBefore finds, where a source cannot be had, the message of an attempt that
// had it. Where Layer does not say whether there is one, that is the failure: it
// passes, and that of the source is for good.
func (t SendMessage) sentBefore(ctx context.Context, api *layer.Client, id dedupe, err error) (Result, error) {
	if source, ok := errors.AsType[*SourceError](err); !ok || source.Temporary {
		return Result{}, err
	}
	m, missing := api.Messages.Get(ctx, t.Conversation, layer.MessageID(id))
	switch {
	case isGone(missing):
		return Result{}, err
	case missing != nil:
		return Result{}, missing
	}
	return Result{MessageID: m.ID}, nil
}
