package layertest

import (
	"slices"
	"strconv"
	"strings"
)

// maxParticipants is how many users a conversation takes.
const maxParticipants = 25

// roster is a set of participants. It never changes, so the messages sent to
// the same people share one.
//
// A set has no order of its own, and the service's was not that of the request.
// What it was nobody knows; the last first agrees with the answers to creates
// that were recorded, and with what the live test suites of clients expect.
type roster struct {
	ids []string // in descending order
}

func newRoster(ids []string) *roster {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, lastFirst)
	return &roster{slices.Compact(sorted)}
}

func lastFirst(a, b string) int { return strings.Compare(b, a) }

func (r *roster) index(id string) (int, bool) { return slices.BinarySearchFunc(r.ids, id, lastFirst) }

func (r *roster) has(id string) bool {
	_, ok := r.index(id)
	return ok
}

func (r *roster) without(id string) *roster {
	i, ok := r.index(id)
	if !ok {
		return r
	}
	return &roster{slices.Delete(slices.Clone(r.ids), i, i+1)}
}

// key is equal for equal sets, whatever characters the ids have.
func (r *roster) key() string {
	var b strings.Builder
	for _, id := range r.ids {
		b.WriteString(strconv.Itoa(len(id)))
		b.WriteByte(':')
		b.WriteString(id)
	}
	return b.String()
}

// somebody reads the participants that a request names: a set of at least one.
func (c *call) somebody(v any) (*roster, *failure) {
	ids, f := userIDs(v, "participants")
	if f != nil {
		return nil, f
	}
	r := newRoster(ids)
	switch {
	case len(r.ids) == 0 && !c.e.config.Switches.AllowEmptyLists:
		return nil, invalid("participants", "it must not be empty")
	case len(r.ids) > maxParticipants:
		return nil, tooMany()
	}
	return r, nil
}

func tooMany() *failure {
	return rejected("participants", "a conversation takes at most "+strconv.Itoa(maxParticipants)+" participants")
}
