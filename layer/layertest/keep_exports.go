package layertest

import (
	"time"

	"github.com/google/uuid"
)

type savedExport struct {
	Order       uint64       `json:"order"`
	Scheduled   bool         `json:"scheduled,omitzero"`
	Status      exportStatus `json:"status"`
	PublicKey   string       `json:"public_key"`
	CreatedAt   time.Time    `json:"created_at"`
	StartedAt   time.Time    `json:"started_at,omitzero"`
	CompletedAt time.Time    `json:"completed_at,omitzero"`
	Key         string       `json:"key,omitzero"`
	IV          string       `json:"iv,omitzero"`
}

func (x *export) save() saved {
	v := savedExport{x.order, x.scheduled, x.status, x.publicKey, x.createdAt, x.startedAt, x.completedAt, x.key, x.iv}
	return saved{Kind: kindExport, ID: x.id.String(), Value: marshal(v)}
}

func (a *app) loadExport(id uuid.UUID, v savedExport) {
	a.exports[id] = &export{
		id: id, order: v.Order, scheduled: v.Scheduled, status: v.Status, publicKey: v.PublicKey,
		createdAt: v.CreatedAt, startedAt: v.StartedAt, completedAt: v.CompletedAt, key: v.Key, iv: v.IV,
	}
	a.order = max(a.order, v.Order)
}
