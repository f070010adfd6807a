package layertest

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// app is the state of one application. One lock guards all of it: handlers
// decode and validate before they take it, so it is held for microseconds.
type app struct {
	id     uuid.UUID
	tokens map[string]bool // never changes once the app is served

	mu sync.RWMutex
	state
}

// state is what an app forgets on a reset.
type state struct {
	conversations map[uuid.UUID]*conversation // deleted ones too: they are gone, not unknown
	distinct      map[string]*conversation    // by roster key
	messages      map[uuid.UUID]*message      // deleted ones too: their dedupe UUIDs are taken
	announcements map[uuid.UUID]*announcement
	users         map[string]*user

	order      uint64 // conversations made so far
	identities int
	blocks     int
	live       struct{ conversations, messages int } // not deleted
}

// user is everything that hangs on a user id. Blocks and badge work for ids
// never seen before, so having an entry does not make a user known.
type user struct {
	id       string
	identity identity // nil without one
	blocks   []string // in order of blocking
	members  []*member
	inbox    []*delivery // announcements, oldest first
}

func newApp(id uuid.UUID) *app {
	a := &app{id: id, tokens: map[string]bool{}}
	a.reset()
	return a
}

func (a *app) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state = state{
		conversations: map[uuid.UUID]*conversation{},
		distinct:      map[string]*conversation{},
		messages:      map[uuid.UUID]*message{},
		announcements: map[uuid.UUID]*announcement{},
		users:         map[string]*user{},
	}
}

func (a *app) count(s *Stats) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	s.Messages += a.live.messages
	s.Announcements += len(a.announcements)
	s.Conversations += a.live.conversations
	s.Identities += a.identities
	s.Blocks += a.blocks
}

// user returns the entry of a user id, making one.
func (a *app) user(id string) *user {
	u := a.users[id]
	if u == nil {
		u = &user{id: id}
		a.users[id] = u
	}
	return u
}

// knows says whether a user exists: as a participant, by an identity or as the
// recipient of an announcement.
func (a *app) knows(id string) bool {
	u := a.users[id]
	return u != nil && (u.identity != nil || len(u.members) > 0 || len(u.inbox) > 0)
}

// read runs f while nothing changes.
func (c *call) read(f func(a *app) (answer, *failure)) (answer, *failure) {
	c.app.mu.RLock()
	defer c.app.mu.RUnlock()
	return f(c.app)
}

// write runs f alone. f changes nothing if it fails. The time that it is given
// has the precision of the wire.
func (c *call) write(f func(a *app, now time.Time) (answer, *failure)) (answer, *failure) {
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	return f(c.app, now())
}

// now has the precision of the wire.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// timestamp is the form of times on the wire.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
