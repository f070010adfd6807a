package layertest

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
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

type savedContent struct {
	Conversation uuid.UUID `json:"conversation"`
	MIME         string    `json:"mime"`
	Size         int64     `json:"size"`
	Dedupe       uuid.UUID `json:"dedupe,omitzero"`
	Uploaded     bool      `json:"uploaded,omitzero"`
}

func (ct *content) save() saved {
	v := savedContent{ct.conv.id, ct.mime, ct.size, ct.dedupe, ct.uploaded}
	return saved{Kind: kindContent, ID: ct.id.String(), Value: marshal(v)}
}

func (a *app) loadContent(id uuid.UUID, v savedContent) error {
	conv := a.conversations[v.Conversation]
	if conv == nil {
		return errNoConversation
	}
	a.addContent(&content{id: id, conv: conv, mime: v.MIME, size: v.Size, dedupe: v.Dedupe, uploaded: v.Uploaded})
	return nil
}

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

func (s *settings) save() saved { return saved{Kind: kindSettings, Value: marshal(s)} }

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
			a.unloadQueuedPatch(id)
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
