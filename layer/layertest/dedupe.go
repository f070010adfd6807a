package layertest

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// dedupeOf returns the UUID under which a request wants to take effect once.
// Early clients send it as an entity tag, in quotes.
//
// Layer docs: platform, de-duplication.
func (e *Emulator) dedupeOf(r *http.Request) (uuid.UUID, *failure) {
	tag := r.Header.Get("If-None-Match")
	if tag == "" {
		return uuid.Nil, nil
	}
	id, ok := parseID(strings.TrimSuffix(strings.TrimPrefix(tag, `"`), `"`))
	if !ok && !e.config.Switches.IgnoreBadDedupe {
		return uuid.Nil, &failure{kind: invalidRequestID, url: docsPlatform, message: "The If-None-Match header is not a valid UUID."}
	}
	return id, nil
}

// newID returns the id of what a create makes: the dedupe UUID where there is
// one, so that the index of what exists also is the memory of what was done.
func (c *call) newID() uuid.UUID {
	if c.dedupe != uuid.Nil {
		return c.dedupe
	}
	return c.e.newID()
}

// newID returns an id that the service chooses.
func (e *Emulator) newID() uuid.UUID {
	if e.config.Switches.TimeBasedIDs {
		return e.random.timeBased(time.Now())
	}
	return e.random.id()
}

// resource is what a create leaves behind and a repeat is answered with.
type resource string

const (
	aConversation resource = "Conversation"
	aMessage      resource = "Message"
	anAnnounce    resource = "Announcement"
)

// repeated answers a create whose dedupe UUID was seen before. The caller
// holds the app's lock; first says what the UUID made, and render answers for
// it as the first time.
func (c *call) repeated(want, first resource, render func() answer) (answer, *failure) {
	if first != want {
		return answer{}, &failure{kind: idInUse, url: docsPlatform, message: "The requested id is in use for another kind of resource."}
	}
	c.duplicate = true
	a := render()
	if c.e.config.Switches.DedupeConflict {
		return answer{}, &failure{
			kind: idInUse, url: docsPlatform, data: rawJSON(a.body),
			message: "The requested " + string(want) + " already exists",
		}
	}
	return a, nil
}

// rawJSON is JSON that was marshalled before.
type rawJSON []byte

// MarshalJSON returns the text as it is.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// known returns what the dedupe UUID of a call made before, if that makes it a
// repeat: as a rule a UUID that made anything makes nothing else.
func (c *call) known(a *app, want resource) (resource, bool) {
	if c.dedupe == uuid.Nil {
		return "", false
	}
	if a.made(want, c.dedupe) {
		return want, true
	}
	for _, other := range []resource{aMessage, aConversation, anAnnounce} {
		if !c.e.config.Switches.DedupePerKind && a.made(other, c.dedupe) {
			return other, true
		}
	}
	return "", false
}

// made says whether there is or was something of a kind under an id.
func (a *app) made(kind resource, id uuid.UUID) bool {
	switch kind {
	case aMessage:
		return a.messages[id] != nil || a.scheduled[id] != nil
	case aConversation:
		return a.conversations[id] != nil
	case anAnnounce:
		return a.announcements[id] != nil
	default:
		return false
	}
}
