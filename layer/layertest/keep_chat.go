package layertest

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
)

type savedConversation struct {
	Order        uint64        `json:"order"`
	CreatedAt    time.Time     `json:"created_at"`
	Participants []string      `json:"participants"`
	Metadata     *metadataBox  `json:"metadata,omitempty"`
	Distinct     bool          `json:"distinct,omitzero"`
	Deleted      bool          `json:"deleted,omitzero"`
	Members      []savedMember `json:"members"`
}

// metadataBox tells empty metadata from none.
type metadataBox struct {
	V map[string]any `json:"v"`
}

type savedMember struct {
	User   string `json:"user"`
	Active bool   `json:"active,omitzero"`
	Hidden bool   `json:"hidden,omitzero"`
	From   uint64 `json:"from"`
	Until  uint64 `json:"until,omitzero"` // 0 has no end
}

func (conv *conversation) save() saved {
	v := savedConversation{
		Order: conv.order, CreatedAt: conv.createdAt, Participants: conv.roster.ids,
		Distinct: conv.distinct, Deleted: conv.deleted, Members: []savedMember{},
	}
	if conv.metadata != nil {
		v.Metadata = &metadataBox{conv.metadata}
	}
	for id, m := range conv.members {
		s := savedMember{User: id, Active: m.active, Hidden: m.hidden, From: m.from}
		if m.until != math.MaxUint64 {
			s.Until = m.until + 1 // so that an end at 0 is told from none
		}
		v.Members = append(v.Members, s)
	}
	return saved{Kind: kindConversation, ID: conv.id.String(), Value: marshal(v)}
}

func (a *app) loadConversation(id uuid.UUID, v savedConversation) {
	conv := a.conversations[id]
	if conv == nil {
		conv = &conversation{id: id, members: map[string]*member{}}
		a.conversations[id] = conv
	}
	conv.order, conv.createdAt, conv.roster = v.Order, v.CreatedAt, newRoster(v.Participants)
	conv.distinct, conv.deleted, conv.metadata = v.Distinct, v.Deleted, nil
	if v.Metadata != nil {
		conv.metadata = v.Metadata.V
	}
	for _, s := range v.Members {
		m := conv.members[s.User]
		if m == nil {
			m = &member{conv: conv, user: a.user(s.User)}
			m.user.known = true
			conv.members[s.User] = m
		}
		m.active, m.hidden, m.from, m.until = s.Active, s.Hidden, s.From, math.MaxUint64
		if s.Until > 0 {
			m.until = s.Until - 1
		}
	}
	a.order = max(a.order, v.Order)
}

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

type savedAnnouncement struct {
	Order      uint64          `json:"order"`
	SentAt     time.Time       `json:"sent_at"`
	Recipients []string        `json:"recipients"`
	Everyone   bool            `json:"everyone,omitzero"`
	Sender     savedSender     `json:"sender"`
	Parts      []savedPart     `json:"parts"`
	Deliveries []savedDelivery `json:"deliveries"`
}

type savedDelivery struct {
	User    string  `json:"user"`
	Status  receipt `json:"status"`
	Deleted bool    `json:"deleted,omitzero"`
}

func (n *announcement) save() saved {
	v := savedAnnouncement{
		Order: n.order, SentAt: n.sentAt, Recipients: n.recipients, Everyone: n.everyone,
		Sender: savedSender{n.sender.name, n.sender.isUser}, Parts: savedParts(n.parts),
	}
	for _, d := range n.deliveries {
		v.Deliveries = append(v.Deliveries, savedDelivery{d.user.id, d.status, d.deleted})
	}
	return saved{Kind: kindAnnouncement, ID: n.id.String(), Value: marshal(v)}
}

func (a *app) loadAnnouncement(id uuid.UUID, v savedAnnouncement) {
	n := a.announcements[id]
	if n != nil { // only what the recipients did can have changed
		for i, d := range v.Deliveries {
			n.deliveries[i].status, n.deliveries[i].deleted = d.Status, d.Deleted
		}
		return
	}
	n = &announcement{
		id: id, order: v.Order, sentAt: v.SentAt, recipients: v.Recipients, everyone: v.Everyone,
		sender: sender{v.Sender.Name, v.Sender.IsUser}, parts: loadedParts(v.Parts),
	}
	a.announcements[id] = n
	for _, d := range v.Deliveries {
		a.deliver(n, d.User, d.Status, d.Deleted)
	}
	a.order = max(a.order, v.Order)
}
