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
type roster struct {
	ids []string // sorted: a set has no order of its own
}

func newRoster(ids []string) *roster {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return &roster{slices.Compact(sorted)}
}

func (r *roster) has(id string) bool {
	_, ok := slices.BinarySearch(r.ids, id)
	return ok
}

func (r *roster) with(id string) *roster {
	if r.has(id) {
		return r
	}
	return newRoster(append(slices.Clone(r.ids), id))
}

func (r *roster) without(id string) *roster {
	i, ok := slices.BinarySearch(r.ids, id)
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

// participants reads the member of that name as a set.
func participants(v any) (*roster, *failure) {
	ids, f := userIDs(v, "participants")
	if f != nil {
		return nil, f
	}
	r := newRoster(ids)
	if len(r.ids) > maxParticipants {
		return nil, tooMany()
	}
	return r, nil
}

func tooMany() *failure {
	return invalid("participants", "a conversation takes at most "+strconv.Itoa(maxParticipants)+" participants")
}
