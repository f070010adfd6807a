package layertest

import (
	"time"

	"github.com/google/uuid"
)

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
