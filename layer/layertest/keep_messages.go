package layertest

import (
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
)

type savedMessage struct {
	Conversation uuid.UUID          `json:"conversation"`
	Seq          uint64             `json:"seq"`
	SentAt       int64              `json:"sent_at"`
	Sender       savedSender        `json:"sender"`
	Parts        []savedPart        `json:"parts"`
	Recipients   []string           `json:"recipients"`
	Status       map[string]receipt `json:"status,omitempty"`
	Hidden       []string           `json:"hidden,omitempty"`
	Deleted      bool               `json:"deleted,omitzero"`
}

type savedSender struct {
	Name   string `json:"name"`
	IsUser bool   `json:"is_user,omitzero"`
}

type savedPart struct {
	MIME    string    `json:"mime"`
	Body    string    `json:"body,omitzero"`
	Base64  bool      `json:"base64,omitzero"`
	Content uuid.UUID `json:"content,omitzero"`
	Size    int64     `json:"size,omitzero"`
}

func savedParts(parts []part) []savedPart {
	out := make([]savedPart, len(parts))
	for i, p := range parts {
		out[i] = savedPart{p.mime, p.body, p.base64, p.content, p.size}
	}
	return out
}

func loadedParts(parts []savedPart) []part {
	out := make([]part, len(parts))
	for i, p := range parts {
		out[i] = part{p.MIME, p.Body, p.Base64, p.Content, p.Size}
	}
	return out
}

func (msg *message) save() saved {
	from, parts := msg.unpack()
	v := savedMessage{
		Conversation: msg.conv.id, Seq: msg.seq, SentAt: msg.sentAt, Sender: savedSender{from.name, from.isUser},
		Parts: savedParts(parts), Recipients: msg.roster.ids,
	}
	if m := msg.marks; m != nil {
		v.Status, v.Deleted = m.status, m.deleted
		for id := range m.hidden {
			v.Hidden = append(v.Hidden, id)
		}
	}
	return saved{Kind: kindMessage, ID: msg.id.String(), Value: marshal(v)}
}

var errNoConversation = errors.New("its conversation is missing")

func (a *app) loadMessage(id uuid.UUID, v savedMessage) error {
	msg := a.messages[id]
	if msg == nil {
		conv := a.conversations[v.Conversation]
		if conv == nil {
			return errNoConversation
		}
		msg = &message{id: id, conv: conv, roster: newRoster(v.Recipients), sentAt: v.SentAt, seq: v.Seq}
		if slices.Equal(msg.roster.ids, conv.roster.ids) {
			msg.roster = conv.roster
		}
		msg.packed = pack(sender{v.Sender.Name, v.Sender.IsUser}, loadedParts(v.Parts))
		a.messages[id] = msg
		conv.messages = append(conv.messages, msg)
		conv.seq = max(conv.seq, v.Seq)
	}
	msg.marks = nil
	if v.Status != nil || v.Hidden != nil || v.Deleted {
		msg.marks = &marks{status: v.Status, deleted: v.Deleted}
		for _, user := range v.Hidden {
			msg.hide(user)
		}
	}
	return nil
}

type savedScheduled struct {
	Conversation uuid.UUID   `json:"conversation"`
	Sender       savedSender `json:"sender"`
	Parts        []savedPart `json:"parts"`
	Made         time.Time   `json:"made"`
	At           time.Time   `json:"at"`
	Done         bool        `json:"done,omitzero"`
}

func (s *scheduled) save() saved {
	from, parts := s.message().unpack()
	v := savedScheduled{s.conv.id, savedSender{from.name, from.isUser}, savedParts(parts), s.made, s.at, s.done}
	return saved{Kind: kindScheduled, ID: s.id.String(), Value: marshal(v)}
}

func (a *app) loadScheduled(id uuid.UUID, v savedScheduled) error {
	conv := a.conversations[v.Conversation]
	if conv == nil {
		return errNoConversation
	}
	packed := pack(sender{v.Sender.Name, v.Sender.IsUser}, loadedParts(v.Parts))
	a.scheduled[id] = &scheduled{id: id, conv: conv, packed: packed, made: v.Made, at: v.At, done: v.Done}
	return nil
}
