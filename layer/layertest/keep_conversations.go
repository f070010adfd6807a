package layertest

import (
	"math"
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
