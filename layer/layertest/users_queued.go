package layertest

import (
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
		a.queuedTimer = a.e.after(time.Until(a.queued[0].at), a.applyQueued)
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
