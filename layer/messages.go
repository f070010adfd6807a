package layer

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// MessagesService sends, reads and deletes messages, and marks them as received
// or read.
type MessagesService struct{ service }

// Message is a message as Layer tells it. What depends on a user is there only
// when it was read as that user.
type Message struct {
	ID           MessageID       `json:"id"`
	URL          string          `json:"url"`
	Conversation ConversationRef `json:"conversation"`
	Parts        []Part          `json:"parts"`
	Sender       Sender          `json:"sender"`
	SentAt       time.Time       `json:"sent_at"`
	// RecipientStatus is the status of every participant by user id. The
	// sender's is Read from the start.
	RecipientStatus map[string]RecipientStatus `json:"recipient_status"`

	// ReceiptsURL, ReceivedAt, Position and IsUnread are the user's; zero otherwise.
	ReceiptsURL string    `json:"receipts_url"`
	ReceivedAt  time.Time `json:"received_at"`
	// Position orders the messages of a conversation; it may exceed 32 bits.
	Position int64 `json:"position"`
	IsUnread bool  `json:"is_unread"`
}

func (m *Message) accept() error {
	if m.ID.IsZero() {
		return errNoID
	}
	m.SentAt = m.SentAt.UTC()
	m.ReceivedAt = m.ReceivedAt.UTC()
	acceptParts(m.Parts)
	return nil
}

func (m *Message) uuid() uuid.UUID { return m.ID.UUID() }

// ConversationRef names the conversation of a message.
type ConversationRef struct {
	ID  ConversationID `json:"id"`
	URL string         `json:"url"`
}

// RecipientStatus is how far a message got to one participant.
type RecipientStatus string

// How far a message got.
const (
	StatusSent      RecipientStatus = "sent"
	StatusDelivered RecipientStatus = "delivered"
	StatusRead      RecipientStatus = "read"
)

// SendMessageRequest describes a message to be sent.
type SendMessageRequest struct {
	// Sender is a participant, or a name.
	Sender Sender `json:"sender"`
	// Parts are one or more. Each holds at most 2 KB, or uploaded content.
	Parts []Part `json:"parts"`
	// Notification is the push that goes along; nil pushes nothing.
	Notification *Notification `json:"notification,omitempty"`
}

// Validate checks sender, parts and notification.
func (r SendMessageRequest) Validate() error {
	p := r.validateEnvelope()
	p.nest("", ValidateParts(r.Parts))
	return p.err()
}

// validateRich is Validate for parts that may be uploaded.
func (r SendMessageRequest) validateRich() error {
	p := r.validateEnvelope()
	if len(r.Parts) == 0 {
		p.add("parts", "is missing or empty")
	}
	for i, part := range r.Parts {
		p.nest(fmt.Sprintf("parts[%d]", i), part.validateShape().err())
	}
	return p.err()
}

func (r SendMessageRequest) validateEnvelope() problems {
	var p problems
	p.nest("sender", r.Sender.Validate())
	if r.Notification != nil {
		p.nest("notification", r.Notification.Validate())
	}
	return p
}

// wireMessage is a message on its way to Layer.
type wireMessage struct {
	Sender       Sender            `json:"sender"`
	Parts        []Part            `json:"parts"`
	Notification *wireNotification `json:"notification,omitempty"`
	Schedule     *wireSchedule     `json:"schedule,omitempty"`
}

func (r SendMessageRequest) wire(version string) wireMessage {
	return wireMessage{Sender: r.Sender, Parts: wireParts(r.Parts), Notification: r.Notification.forVersion(version)}
}

// Send posts a message to a conversation and returns it as Layer stored it.
//
// The dedupe UUID becomes the message's id. Sending again with the same one
// returns the first message instead of posting a second; with uuid.Nil every
// call posts a new one, and none is repeated on failure. Fails with [CodeNotFound]
// if there is no such conversation, [CodeObjectDeleted] if it was deleted, and
// [CodeInvalidProperty] if the sender is no participant.
//
// Layer docs: Platform API, messages, sending a message.
//
//layer:operation POST /apps/:app/conversations/:conversation/messages
func (s *MessagesService) Send(ctx context.Context, conversation ConversationID, dedupe uuid.UUID, req SendMessageRequest) (*Message, error) {
	const operation = "messages.send"
	if err := refuse(operation, missingID("conversation", conversation), req.Validate()); err != nil {
		return nil, err
	}
	var made Message
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost,
		path:   s.client.path("conversations", conversation.UUID().String(), "messages"),
		dedupe: dedupe, into: &made,
		body: req.wire(s.client.version),
	})
	if err != nil {
		return nil, err
	}
	return &made, nil
}

// Get returns a message as the app sees it. Fails with [CodeNotFound] if there is
// none, also once it was deleted.
//
// Layer docs: Platform API, messages, retrieving a message.
//
//layer:operation GET /apps/:app/conversations/:conversation/messages/:message
func (s *MessagesService) Get(ctx context.Context, conversation ConversationID, id MessageID) (*Message, error) {
	const operation = "messages.get"
	if err := refuse(operation, missingID("conversation", conversation), missingID("message", id)); err != nil {
		return nil, err
	}
	var found Message
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet, into: &found,
		path: s.client.path("conversations", conversation.UUID().String(), "messages", id.UUID().String()),
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// ListOptions choose a page of messages.
type ListOptions struct {
	// PageSize is 1 to [MaxPageSize]; 0 is Layer's default of 100.
	PageSize int
	// FromID asks for what follows this message: the older ones. Zero starts
	// with the newest.
	FromID MessageID
}

// List returns one page of a conversation's messages as the app sees them,
// newest first.
//
// Layer docs: Platform API, messages, retrieving messages.
//
//layer:operation GET /apps/:app/conversations/:conversation/messages
func (s *MessagesService) List(ctx context.Context, conversation ConversationID, opts ListOptions) (*Page[Message], error) {
	if err := refuse("messages.list", missingID("conversation", conversation)); err != nil {
		return nil, err
	}
	return s.list(ctx, "messages.list", s.client.path("conversations", conversation.UUID().String(), "messages"), opts)
}

func (s *MessagesService) list(ctx context.Context, operation, path string, opts ListOptions) (*Page[Message], error) {
	query, err := listQuery(opts.PageSize, opts.FromID.UUID())
	if err != nil {
		return nil, refuse(operation, err)
	}
	var found listOf[Message, *Message]
	answer, err := s.client.do(ctx, &call{operation: operation, method: http.MethodGet, path: path, query: query, into: &found})
	if err != nil {
		return nil, err
	}
	return pageOf(found.items, answer), nil
}

// Pages walks through a conversation's messages page by page, newest first, from
// opts.FromID on. It asks for each page when it is wanted; an error ends it.
func (s *MessagesService) Pages(ctx context.Context, conversation ConversationID, opts ListOptions) iter.Seq2[*Page[Message], error] {
	return pages(ctx, opts.PageSize, opts.FromID.UUID(), (*Message).uuid, func(ctx context.Context, from uuid.UUID) (*Page[Message], error) {
		return s.List(ctx, conversation, ListOptions{PageSize: opts.PageSize, FromID: MessageID(from)})
	})
}

// All walks through a conversation's messages one by one, like Pages.
func (s *MessagesService) All(ctx context.Context, conversation ConversationID, opts ListOptions) iter.Seq2[*Message, error] {
	return items(s.Pages(ctx, conversation, opts))
}

// Delete destroys a message for all its recipients. Fails with [CodeNotFound] if
// there is none, also once it was deleted.
//
// Layer docs: Platform API, messages, deleting a message.
//
//layer:operation DELETE /apps/:app/conversations/:conversation/messages/:message
func (s *MessagesService) Delete(ctx context.Context, conversation ConversationID, id MessageID) error {
	const operation = "messages.delete"
	if err := refuse(operation, missingID("conversation", conversation), missingID("message", id)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodDelete,
		path: s.client.path("conversations", conversation.UUID().String(), "messages", id.UUID().String()),
	})
	return err
}
