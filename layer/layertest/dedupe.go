package layertest

import (
	"net/http"
	"strings"

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
	return c.e.random.id()
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

// known returns what the dedupe UUID of a call made before.
func (a *app) known(id uuid.UUID) (resource, bool) {
	switch {
	case id == uuid.Nil:
		return "", false
	case a.messages[id] != nil, a.scheduled[id] != nil:
		return aMessage, true
	case a.conversations[id] != nil:
		return aConversation, true
	case a.announcements[id] != nil:
		return anAnnounce, true
	default:
		return "", false
	}
}
