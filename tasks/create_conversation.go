package tasks

import (
	"context"

	"github.com/layerq/layerq/layer"
)

// TypeCreateConversation is the type of [CreateConversation]. Queued payloads
// outlive deploys: it is never renamed.
const TypeCreateConversation = "conversation:create"

// CreateConversation creates a conversation. Its result has the
// ConversationID.
//
// With Distinct, Layer has one conversation for a set of participants: where
// there is one with the same metadata, or Metadata is nil, the task succeeds
// with its ID; where the metadata differs it fails with [layer.CodeConflict].
// Note that an empty Metadata that is not nil is metadata too.
//
// Performed again it creates no second conversation: Layer answers the one it
// has for the dedupe UUID.
//
// Layer docs: Platform API, conversations, "Creating a conversation".
type CreateConversation struct {
	Participants []string       `json:"participants" jsonschema:"minItems=1,maxItems=25,minLength=1" jsonschema_description:"User ids, 25 at most."`
	Distinct     bool           `json:"distinct,omitzero" jsonschema_description:"Whether this is to be the only conversation of exactly these participants."`
	Metadata     layer.Metadata `json:"metadata,omitzero" jsonschema_description:"Strings, and objects of them."`
}

// Type returns [TypeCreateConversation].
func (CreateConversation) Type() string { return TypeCreateConversation }

// Validate reports every field that Layer would refuse.
func (t CreateConversation) Validate() error { return t.request().Validate() }

func (t CreateConversation) request() layer.CreateConversationRequest {
	return layer.CreateConversationRequest{Participants: t.Participants, Distinct: t.Distinct, Metadata: t.Metadata}
}

func (t CreateConversation) perform(ctx context.Context, api *layer.Client, id dedupe) (Result, error) {
	c, err := api.Conversations.Create(ctx, id.uuid(), t.request())
	if err != nil {
		return Result{}, err
	}
	return Result{ConversationID: c.ID}, nil
}
