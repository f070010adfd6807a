package layertest

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// queuedPatch is a patch of a user that was acknowledged and has not taken
// effect yet.
type queuedPatch struct {
	id    uuid.UUID
	order uint64
	user  string
	ops   []operation
	at    time.Time // when it takes effect
}

// queuePatch lets a patch take effect later, after those that wait already.
//
// Layer docs: platform, block lists, bulk; users, suspending.
func (tx *tx) queuePatch(user string, ops []operation) {
	tx.order++
	p := &queuedPatch{id: tx.e.random.id(), order: tx.order, user: user, ops: ops, at: tx.now.Add(tx.e.config.PatchDelay)}
	tx.queued = append(tx.queued, p)
	tx.touch(p)
	tx.planQueued()
}

// planQueued waits for the time of the first queued patch. The caller holds
// the app's lock.
func (a *app) planQueued() {
	if a.queuedTimer != nil {
		a.queuedTimer.Stop()
	}
	if len(a.queued) > 0 {
		a.queuedTimer = time.AfterFunc(time.Until(a.queued[0].at), a.applyQueued)
	}
}

// applyQueued applies the patches whose time has come, in the order in which
// they were acknowledged. Where patches are not queued any more, since the
// emulator was started again without the switch, all that wait are due.
func (a *app) applyQueued() {
	_, _ = a.update(func(tx *tx) (answer, *failure) { // update logs what could not be kept
		for len(tx.queued) > 0 && (!tx.now.Before(tx.queued[0].at) || !a.e.config.Switches.QueuedPatches) {
			p := tx.queued[0]
			tx.queued = tx.queued[1:]
			tx.patchUser(p.user, p.ops)
			tx.touch(removed{kindQueuedPatch, p.id})
		}
		tx.planQueued()
		return answer{}, nil
	})
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
	slices.SortFunc(a.queued, func(v, w *queuedPatch) int { return cmp.Compare(v.order, w.order) })
	a.order = max(a.order, v.Order)
}

func (a *app) unloadQueuedPatch(id uuid.UUID) {
	a.queued = slices.DeleteFunc(a.queued, func(p *queuedPatch) bool { return p.id == id })
}
