package layertest

import (
	"time"

	"github.com/google/uuid"
)

type savedWebhook struct {
	Target    string         `json:"target"`
	Events    []eventType    `json:"events"`
	Secret    string         `json:"secret"`
	Config    map[string]any `json:"config"`
	CreatedAt time.Time      `json:"created_at"`
	Status    webhookStatus  `json:"status"`
	Reason    string         `json:"reason,omitzero"`
}

func (w *webhook) save() saved {
	v := savedWebhook{w.target, w.events, w.secret, w.config, w.createdAt, w.status, w.reason}
	return saved{Kind: kindWebhook, ID: w.id.String(), Value: marshal(v)}
}

func (a *app) loadWebhook(id uuid.UUID, v savedWebhook) {
	a.webhooks[id] = &webhook{
		app: a, id: id, target: v.Target, events: v.Events, secret: v.Secret,
		config: v.Config, createdAt: v.CreatedAt, status: v.Status, reason: v.Reason,
	}
}
