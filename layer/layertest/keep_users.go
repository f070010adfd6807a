package layertest

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
)

type savedUser struct {
	Identity  *metadataBox `json:"identity,omitempty"`
	Blocks    []string     `json:"blocks,omitempty"`
	Suspended bool         `json:"suspended,omitzero"`
	Badge     int          `json:"badge,omitzero"`
}

func (u *user) save() saved {
	v := savedUser{Blocks: u.blocks.ids(), Suspended: u.suspended, Badge: u.badge}
	if u.identity != nil {
		v.Identity = &metadataBox{u.identity}
	}
	return saved{Kind: kindUser, ID: u.id, Value: marshal(v)}
}

func (a *app) loadUser(id string, v savedUser) {
	u := a.user(id)
	u.identity, u.blocks, u.suspended, u.badge = nil, newBlockList(v.Blocks), v.Suspended, v.Badge
	if v.Identity != nil {
		u.identity = v.Identity.V
	}
}

type savedPatch struct {
	Order      uint64           `json:"order"`
	User       string           `json:"user"`
	Operations []savedOperation `json:"operations"`
	At         time.Time        `json:"at"`
}

type savedOperation struct {
	Operation opKind `json:"operation"`
	Property  string `json:"property"`
	Value     any    `json:"value"`
}

func (p *queuedPatch) save() saved {
	v := savedPatch{Order: p.order, User: p.user, Operations: make([]savedOperation, len(p.ops)), At: p.at}
	for i, op := range p.ops {
		v.Operations[i] = savedOperation{op.kind, op.property, op.value}
	}
	return saved{Kind: kindQueuedPatch, ID: p.id.String(), Value: marshal(v)}
}

func (a *app) loadQueuedPatch(id uuid.UUID, v savedPatch) {
	p := &queuedPatch{id: id, order: v.Order, user: v.User, at: v.At}
	for _, op := range v.Operations {
		p.ops = append(p.ops, operation{kind: op.Operation, property: op.Property, path: splitPath(op.Property), value: op.Value})
	}
	a.queued = append(a.queued, p)
	a.order = max(a.order, v.Order)
}

// settleQueued takes out what took effect later in the journal, and puts the
// rest in order.
func (a *app) settleQueued() {
	a.queued = slices.DeleteFunc(a.queued, func(p *queuedPatch) bool { return a.applied[p.id] })
	slices.SortFunc(a.queued, func(v, w *queuedPatch) int { return cmp.Compare(v.order, w.order) })
	a.applied = nil
}
