package layertest

import (
	"strconv"

	"github.com/google/uuid"
)

// reference names the conversation of a message.
type reference struct {
	ID  string `json:"id"`
	URL string `json:"url"`
}

// wireCreated is the answer to a create: keys without a value are absent.
type wireCreated struct {
	ID              string             `json:"id"`
	URL             string             `json:"url"`
	Conversation    *reference         `json:"conversation,omitempty"`
	Parts           []any              `json:"parts"`
	SentAt          string             `json:"sent_at"`
	Recipients      any                `json:"recipients,omitempty"`
	Sender          any                `json:"sender"`
	RecipientStatus map[string]receipt `json:"recipient_status,omitempty"`
}

// wireMessage is the answer to a read: every key, with explicit nulls.
type wireMessage struct {
	ID              string             `json:"id"`
	URL             string             `json:"url"`
	ReceiptsURL     *string            `json:"receipts_url"`
	Position        *int64             `json:"position"`
	Conversation    *reference         `json:"conversation"`
	Parts           []any              `json:"parts"`
	SentAt          string             `json:"sent_at"`
	ReceivedAt      *string            `json:"received_at"`
	Sender          wireSender         `json:"sender"`
	IsUnread        *bool              `json:"is_unread"`
	RecipientStatus map[string]receipt `json:"recipient_status"`
	Notification    *struct{}          `json:"notification"` // never returned
}

type wireSender struct {
	UserID *string `json:"user_id"`
	Name   *string `json:"name"`
}

type bareSender struct {
	UserID string `json:"user_id,omitempty"`
	Name   string `json:"name,omitempty"`
}

type wirePart struct {
	ID       string  `json:"id"`
	MIMEType string  `json:"mime_type"`
	Body     *string `json:"body"`
	Encoding *string `json:"encoding"`
	Content  any     `json:"content"`
}

type barePart struct {
	MIMEType string  `json:"mime_type"`
	Body     *string `json:"body,omitzero"`
	Encoding string  `json:"encoding,omitempty"`
	Content  any     `json:"content,omitempty"`
}

func messageID(id uuid.UUID) string { return "layer:///messages/" + id.String() }

func (s sender) wire() wireSender {
	if s.isUser {
		return wireSender{UserID: &s.name}
	}
	return wireSender{Name: &s.name}
}

func (s sender) bare() bareSender {
	if s.isUser {
		return bareSender{UserID: s.name}
	}
	return bareSender{Name: s.name}
}

// createdSender follows the switch for explicit nulls.
func (c *call) createdSender(s sender) any {
	if c.e.config.Switches.ExplicitNulls {
		return s.wire()
	}
	return s.bare()
}

// createdParts renders parts as they were sent, in the form of a create.
func (c *call) createdParts(id string, conv *conversation, parts []part) []any {
	if c.e.config.Switches.ExplicitNulls {
		return c.readParts(id, conv, parts)
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		w := barePart{MIMEType: p.mime}
		if p.base64 {
			w.Encoding = "base64"
		}
		if p.content == uuid.Nil {
			w.Body = &p.body
		} else {
			w.Content = c.wireContent(conv, p.content, p.size)
		}
		out[i] = w
	}
	return out
}

// readParts renders parts in the form of a read.
func (c *call) readParts(id string, conv *conversation, parts []part) []any {
	out := make([]any, len(parts))
	for i, p := range parts {
		w := wirePart{ID: id + "/parts/" + strconv.Itoa(i), MIMEType: p.mime}
		if p.base64 {
			w.Encoding = new("base64")
		}
		if p.content == uuid.Nil {
			w.Body = &p.body
		} else {
			w.Content = c.wireContent(conv, p.content, p.size)
		}
		out[i] = w
	}
	return out
}

// created renders a message as the answer to its create.
func (c *call) created(msg *message) any {
	if c.e.config.Switches.ExplicitNulls {
		w := c.systemMessage(msg)
		w.URL = c.appURL() + "/messages/" + msg.id.String()
		return w
	}
	s, parts := msg.unpack()
	return wireCreated{
		ID: messageID(msg.id), URL: c.appURL() + "/messages/" + msg.id.String(),
		Conversation: c.reference(msg.conv, c.appURL()), Parts: c.createdParts(messageID(msg.id), msg.conv, parts),
		SentAt: timestamp(msg.time()), Sender: c.createdSender(s), RecipientStatus: msg.recipients(),
	}
}

// systemMessage renders a message as a read in the system perspective.
func (c *call) systemMessage(msg *message) wireMessage {
	s, parts := msg.unpack()
	return wireMessage{
		ID:           messageID(msg.id),
		URL:          c.appURL() + "/conversations/" + msg.conv.id.String() + "/messages/" + msg.id.String(),
		Conversation: c.reference(msg.conv, c.appURL()), Parts: c.readParts(messageID(msg.id), msg.conv, parts),
		SentAt: timestamp(msg.time()), Sender: s.wire(), RecipientStatus: msg.recipients(),
	}
}

func (c *call) reference(conv *conversation, base string) *reference {
	return &reference{ID: conversationID(conv.id), URL: base + "/conversations/" + conv.id.String()}
}
