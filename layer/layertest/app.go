package layertest

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// app is the state of one application. One lock guards all of it: handlers
// decode and validate before they take it, so it is held for microseconds.
type app struct {
	e      *Emulator
	id     uuid.UUID
	url    string          // of the app, as the resources have it
	tokens map[string]bool // never changes once the app is served

	mu sync.RWMutex
	state
}

// state is what an app forgets on a reset.
type state struct {
	conversations map[uuid.UUID]*conversation // deleted ones too: they are gone, not unknown
	distinct      map[string]*conversation    // by roster key
	messages      map[uuid.UUID]*message      // deleted ones too: their dedupe UUIDs are taken
	scheduled     map[uuid.UUID]*scheduled    // messages whose time has not come
	announcements map[uuid.UUID]*announcement
	users         map[string]*user
	queued        []*queuedPatch     // of users, in the order in which they were acknowledged
	applied       map[uuid.UUID]bool // queued patches that are done, while the journal is read
	contents      map[uuid.UUID]*content
	uploads       map[uuid.UUID]*content // by the dedupe UUID of their create
	webhooks      map[uuid.UUID]*webhook
	exports       map[uuid.UUID]*export
	settings      settings
	pushes        []push // the latest ones
	queuedTimer   *time.Timer
	exportTimer   *time.Timer

	order uint64 // of the last conversation, announcement, export or queued patch
	live  struct{ conversations, messages, identities, blocks int }
}

// settings are what the app has one of.
type settings struct {
	SessionTTL  int             `json:"session_ttl_in_seconds,omitzero"`
	ExportKey   string          `json:"public_key,omitzero"`
	Schedule    *exportSchedule `json:"export_schedule,omitempty"`
	LastExport  uuid.UUID       `json:"last_export,omitzero"`
	LastStarted time.Time       `json:"last_started,omitzero"`
}

func newApp(e *Emulator, id uuid.UUID) *app {
	a := &app{e: e, id: id, url: e.config.PublicURL + "/apps/" + id.String(), tokens: map[string]bool{}}
	a.state = newState()
	return a
}

func newState() state {
	return state{
		conversations: map[uuid.UUID]*conversation{},
		distinct:      map[string]*conversation{},
		messages:      map[uuid.UUID]*message{},
		scheduled:     map[uuid.UUID]*scheduled{},
		announcements: map[uuid.UUID]*announcement{},
		users:         map[string]*user{},
		applied:       map[uuid.UUID]bool{},
		contents:      map[uuid.UUID]*content{},
		uploads:       map[uuid.UUID]*content{},
		webhooks:      map[uuid.UUID]*webhook{},
		exports:       map[uuid.UUID]*export{},
	}
}

func (a *app) reset() promise {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stop()
	a.state = newState()
	return a.e.keepReset(a)
}

// stop ends what would happen by itself. The caller holds the lock.
func (a *app) stop() {
	for _, s := range a.scheduled {
		if s.timer != nil {
			s.timer.Stop()
		}
	}
	for _, w := range a.webhooks {
		w.stop()
	}
	if a.queuedTimer != nil {
		a.queuedTimer.Stop()
	}
	if a.exportTimer != nil {
		a.exportTimer.Stop()
	}
}

func (a *app) count(s *Stats) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	s.Messages += a.live.messages
	s.Announcements += len(a.announcements)
	s.Conversations += a.live.conversations
	s.Identities += a.live.identities
	s.Blocks += a.live.blocks
}

// tx is one change of an app's state: it holds the lock, and collects what is
// to be kept and told.
type tx struct {
	*app
	now time.Time // in nanoseconds: finer than the wire, so that two changes are in order

	touched []entity
}

// touch says that an entity is new or was changed.
func (tx *tx) touch(x entity) { tx.touched = append(tx.touched, x) }

// update changes the state. f changes nothing if it fails. When update
// returns, the change is kept for as long as the emulator keeps anything, and
// so is what f found there. Once something could not be kept, f is not run.
func (a *app) update(f func(tx *tx) (answer, *failure)) (answer, *failure) {
	ans, fail, kept := a.change(f)
	if err := kept.wait(); err != nil {
		a.e.config.Log.Error("a change could not be kept", "error", err)
		return answer{}, &failure{kind: internalServerError, url: docsPlatform, message: "The change could not be kept."}
	}
	return ans, fail
}

// change is update up to where it waits for the disk: others need not. It
// promises what was there before, too, since f may have answered with it.
func (a *app) change(f func(tx *tx) (answer, *failure)) (answer, *failure, promise) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.e.kept()
	if before.failed() {
		return answer{}, nil, before.never()
	}
	tx := &tx{app: a, now: time.Now().UTC().Round(0)}
	ans, fail := f(tx)
	if len(tx.touched) == 0 {
		return ans, fail, before
	}
	return ans, fail, a.e.keep(a, tx.touched)
}

// write runs f alone.
func (c *call) write(f func(tx *tx) (answer, *failure)) (answer, *failure) { return c.app.update(f) }

// read runs f while nothing changes.
func (c *call) read(f func(a *app) (answer, *failure)) (answer, *failure) {
	c.app.mu.RLock()
	defer c.app.mu.RUnlock()
	return f(c.app)
}

// timestamp is the form of times on the wire.
func timestamp(t time.Time) string { return t.UTC().Format(timeFormat) }

const timeFormat = "2006-01-02T15:04:05.000Z"
