package layertest

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// eventType is what webhooks are told of.
//
// Layer docs: webhooks, events.
type eventType string

const (
	messageSent              eventType = "message.sent"
	messageDelivered         eventType = "message.delivered"
	messageRead              eventType = "message.read"
	messageDeleted           eventType = "message.deleted"
	conversationCreated      eventType = "conversation.created"
	conversationParticipants eventType = "conversation.updated.participants"
	conversationMetadata     eventType = "conversation.updated.metadata"
	conversationDeleted      eventType = "conversation.deleted"
)

var eventTypes = []eventType{
	messageSent, messageDelivered, messageRead, messageDeleted,
	conversationCreated, conversationParticipants, conversationMetadata, conversationDeleted,
}

type wireEvent struct {
	CreatedAt string         `json:"created_at"`
	Type      eventType      `json:"type"`
	ID        string         `json:"id"`
	Actor     jsontext.Value `json:"actor,omitzero"`
}

type wireDelivery struct {
	Event        wireEvent      `json:"event"`
	Message      jsontext.Value `json:"message,omitzero"`
	Conversation any            `json:"conversation,omitempty"`
	Config       any            `json:"config"`
}

// tellMessage tells the webhooks what happened to a message, and by whom; the
// zero sender is nobody in particular.
func (tx *tx) tellMessage(event eventType, msg *message, by sender) {
	if len(tx.webhooks) == 0 {
		return
	}
	var actor jsontext.Value
	if by.name != "" {
		actor = by.appendWire(nil, false)
	}
	tx.tell(event, actor, func(c *call) wireDelivery { return wireDelivery{Message: c.systemMessage(msg)} })
}

func (tx *tx) tellConversation(event eventType, conv *conversation) {
	if len(tx.webhooks) == 0 {
		return
	}
	tx.tell(event, nil, func(c *call) wireDelivery { return wireDelivery{Conversation: c.system(conv)} })
}

// tell queues an event for every active webhook that wants it, in the order in
// which things happened.
func (tx *tx) tell(event eventType, actor jsontext.Value, render func(*call) wireDelivery) {
	id := tx.e.random.id().String()
	for _, w := range tx.webhooks {
		if w.status != webhookActive || !slices.Contains(w.events, event) {
			continue
		}
		d := render(&call{e: tx.e, app: tx.app, r: w.request()})
		d.Event = wireEvent{CreatedAt: timestamp(tx.now), Type: event, ID: id, Actor: actor}
		d.Config = w.config
		w.queue(errand{event: event, request: tx.e.random.id(), body: marshal(d)})
	}
}
