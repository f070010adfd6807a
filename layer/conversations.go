package layer

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/google/uuid"
)

// MaxParticipants is how many users a conversation holds.
const MaxParticipants = 25

// ConversationsService makes, reads, changes and deletes conversations.
type ConversationsService struct{ service }

// Conversation is a conversation as Layer tells it. What depends on a user is
// there only when it was read as that user.
type Conversation struct {
	ID          ConversationID `json:"id"`
	URL         string         `json:"url"`
	MessagesURL string         `json:"messages_url"`
	CreatedAt   time.Time      `json:"created_at"`
	// Participants is a set: its order says nothing. Empty when it is read as a
	// user who was removed.
	Participants []string `json:"participants"`
	// Distinct tells whether this is the one conversation of these participants.
	Distinct bool     `json:"distinct"`
	Metadata Metadata `json:"metadata"`

	// LastMessage and UnreadMessageCount are the user's; nil and 0 otherwise.
	LastMessage        *Message `json:"last_message"`
	UnreadMessageCount int      `json:"unread_message_count"`

	// Existing tells that Create found this distinct conversation instead of
	// making one.
	Existing bool `json:"-"`
}

func (c *Conversation) accept() error {
	if c.ID.IsZero() {
		return errNoID
	}
	c.CreatedAt = c.CreatedAt.UTC()
	if c.LastMessage != nil {
		return c.LastMessage.accept()
	}
	return nil
}

func (c *Conversation) uuid() uuid.UUID { return c.ID.UUID() }

// CreateConversationRequest describes a conversation to be made.
type CreateConversationRequest struct {
	// Participants are 1 to [MaxParticipants] user ids. The users need not
	// exist yet.
	Participants []string `json:"participants"`
	// Distinct asks for the one conversation of these participants: it is made
	// only if there is none.
	Distinct bool `json:"distinct,omitempty"`
	// Metadata is optional. An empty one that is not nil counts as metadata: a
	// distinct conversation that has some then conflicts with it.
	Metadata Metadata `json:"metadata,omitzero"`
}

// Validate checks the participants and the metadata.
func (r CreateConversationRequest) Validate() error {
	var p problems
	p.users("participants", r.Participants, MaxParticipants)
	p.nest("metadata", r.Metadata.Validate())
	return p.err()
}

// Create makes a conversation and returns it as Layer stored it.
//
// With Distinct, it returns the conversation that these participants have
// already, with Existing true, if the metadata is left out or equal; if it
// differs the call fails with [CodeConflict], and [ExistingConversation] gets the
// conversation out of the error.
//
// The dedupe UUID becomes the conversation's id. Creating again with the same one
// returns the first conversation instead of making a second. With uuid.Nil
// every call makes a new one, and none is repeated on failure.
//
// Layer docs: Platform API, conversations, creating a conversation.
//
//layer:operation POST /apps/:app/conversations
func (s *ConversationsService) Create(ctx context.Context, dedupe uuid.UUID, req CreateConversationRequest) (*Conversation, error) {
	const operation = "conversations.create"
	if err := refuse(operation, req.Validate()); err != nil {
		return nil, err
	}
	var made Conversation
	answer, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost, path: s.client.path("conversations"),
		dedupe: dedupe, body: req, into: &made,
	})
	if found, ok := redirectedTo(err); ok {
		return s.existing(ctx, found)
	}
	if err != nil {
		return nil, err
	}
	made.Existing = answer.status == http.StatusOK && (dedupe == uuid.Nil || made.uuid() != dedupe)
	return &made, nil
}

// existing reads the conversation that a 303 names: the answer for an existing
// distinct conversation until September 2015.
func (s *ConversationsService) existing(ctx context.Context, id ConversationID) (*Conversation, error) {
	found, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	found.Existing = true
	return found, nil
}

func redirectedTo(err error) (ConversationID, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Status != http.StatusSeeOther || e.Location == "" {
		return ConversationID{}, false
	}
	location, err := url.Parse(e.Location)
	if err != nil {
		return ConversationID{}, false
	}
	id, err := ParseConversationID(path.Base(location.Path))
	return id, err == nil
}

// ExistingConversation gets the distinct conversation out of the [CodeConflict]
// that says that it exists with other metadata.
func ExistingConversation(err error) (*Conversation, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != CodeConflict {
		return nil, false
	}
	var found Conversation
	if json.Unmarshal(e.Data, &found) != nil || found.accept() != nil {
		return nil, false
	}
	found.Existing = true
	return &found, true
}

// Get returns a conversation as the app sees it: without last message and unread
// count. Fails with [CodeNotFound] if there never was one of this id, and with
// [CodeObjectDeleted] if it was deleted.
//
// Layer docs: Platform API, conversations, retrieving a conversation.
//
//layer:operation GET /apps/:app/conversations/:conversation
func (s *ConversationsService) Get(ctx context.Context, id ConversationID) (*Conversation, error) {
	const operation = "conversations.get"
	if err := refuse(operation, missingID("conversation", id)); err != nil {
		return nil, err
	}
	var found Conversation
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet,
		path: s.client.path("conversations", id.UUID().String()), into: &found,
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}
