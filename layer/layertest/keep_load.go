package layertest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
)

// load applies one batch of the journal.
func (e *Emulator) load(b batch) error {
	a := e.apps[b.App]
	if a == nil { // not served now, but its state stays
		a = newApp(e, b.App)
		e.apps[b.App] = a
	}
	if b.Reset {
		a.state = newState()
		return nil
	}
	for _, s := range b.Records {
		if err := a.load(s); err != nil {
			return fmt.Errorf("%s %s: %w", s.Kind, s.ID, err)
		}
	}
	return nil
}

// loading decodes a value and hands it on.
func loading[T any](s saved, f func(T) error) error {
	var v T
	if err := json.Unmarshal(s.Value, &v); err != nil {
		return err
	}
	return f(v)
}

// load applies one record of the journal.
func (a *app) load(s saved) error {
	id, isUUID := parseID(s.ID)
	if !isUUID && s.Kind != kindUser && s.Kind != kindSettings && s.Kind != kindSecret {
		return errors.New("its id is no UUID")
	}
	switch s.Kind {
	case kindConversation:
		return loading(s, func(v savedConversation) error { a.loadConversation(id, v); return nil })
	case kindMessage:
		return loading(s, func(v savedMessage) error { return a.loadMessage(id, v) })
	case kindScheduled:
		return loading(s, func(v savedScheduled) error { return a.loadScheduled(id, v) })
	case kindAnnouncement:
		return loading(s, func(v savedAnnouncement) error { a.loadAnnouncement(id, v); return nil })
	case kindUser:
		return loading(s, func(v savedUser) error { a.loadUser(s.ID, v); return nil })
	case kindQueuedPatch:
		if s.Value == nil {
			a.applied[id] = true
			return nil
		}
		return loading(s, func(v savedPatch) error { a.loadQueuedPatch(id, v); return nil })
	case kindContent:
		return loading(s, func(v savedContent) error { return a.loadContent(id, v) })
	case kindWebhook:
		if s.Value == nil {
			delete(a.webhooks, id)
			return nil
		}
		return loading(s, func(v savedWebhook) error { a.loadWebhook(id, v); return nil })
	case kindExport:
		if s.Value == nil {
			delete(a.exports, id)
			return nil
		}
		return loading(s, func(v savedExport) error { a.loadExport(id, v); return nil })
	case kindSettings:
		return loading(s, func(v settings) error { a.settings = v; return nil })
	case kindSecret:
		return loading(s, func(v []byte) error { copy(a.e.secret[:], v); return nil })
	default:
		return errors.New("its kind is unknown")
	}
}

// settle computes what the journal does not hold.
func (a *app) settle() {
	a.settleQueued()
	for _, conv := range a.conversations {
		conv.messages = slices.DeleteFunc(conv.messages, (*message).deleted)
		slices.SortFunc(conv.messages, func(v, w *message) int { return cmp.Compare(v.seq, w.seq) })
		if conv.deleted {
			conv.messages = nil
			continue
		}
		a.live.conversations++
		a.live.messages += len(conv.messages)
		if conv.distinct {
			a.distinct[conv.roster.key()] = conv
		}
		for _, m := range conv.members {
			m.user.members = append(m.user.members, m)
			m.recount()
		}
	}
	for _, u := range a.users {
		a.live.blocks += len(u.blocks.since)
		if u.identity != nil {
			a.live.identities++
		}
	}
}

// resume goes on with what was under way: queued patches, delayed messages,
// verifications, exports.
func (a *app) resume() {
	a.applyQueued()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.scheduled {
		if !s.done {
			a.plan(s)
		}
	}
	for _, w := range a.webhooks {
		if w.status == webhookUnverified {
			w.queue(errand{})
		}
	}
	for _, x := range a.exports {
		if x.status != exportCompleted {
			a.e.start(func() { a.runExport(x) })
		}
	}
	a.planExport()
}
