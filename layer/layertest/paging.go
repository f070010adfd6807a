package layertest

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

const maxPage = 100

// pageRequest is what a list call asks for.
type pageRequest struct {
	size int
	from uuid.UUID // uuid.Nil begins at the start
	bad  bool      // from_id is no id at all
}

// page reads page_size and from_id; kind is what the list holds.
//
// Layer docs: platform, pagination.
func (c *call) page(kind string) (pageRequest, *failure) {
	q := c.r.URL.Query()
	p := pageRequest{size: maxPage}
	if kind != "conversations" && q.Has("sort_by") && c.e.config.Switches.StrictSortBy {
		return p, invalid("sort_by", "only conversations are sorted")
	}
	if s := q.Get("page_size"); s != "" {
		n, err := strconv.Atoi(s)
		switch {
		case err != nil:
			return p, invalid("page_size", "it must be a whole number")
		case n < 1 && c.e.config.Switches.LenientPageSize:
			n = maxPage
		case n < 1:
			return p, invalid("page_size", "it must be at least 1")
		case n > maxPage && c.e.config.Switches.StrictPageSize:
			return p, invalid("page_size", "it must be at most "+strconv.Itoa(maxPage))
		}
		p.size = min(n, maxPage)
	}
	if s := q.Get("from_id"); s != "" {
		id, ok := parseReference(kind, s)
		p.from, p.bad = id, !ok
	}
	return p, nil
}

func (p pageRequest) fromStart() bool { return p.from == uuid.Nil && !p.bad }

// end returns the index in conv.messages where a page of messages stops: it
// holds what is older than from_id.
func (c *call) end(a *app, conv *conversation, p pageRequest) (int, *failure) {
	if p.fromStart() {
		return len(conv.messages), nil
	}
	msg := a.messages[p.from]
	if p.bad || msg == nil || msg.conv != conv || msg.deleted() {
		if c.e.config.Switches.IgnoreUnknownFromID {
			return 0, nil
		}
		return 0, absent("Message")
	}
	i, _ := indexOf(conv, msg.seq)
	return i, nil
}

// indexOf returns where the message of a number stands among those that are
// left.
func indexOf(conv *conversation, seq uint64) (int, bool) {
	return slices.BinarySearchFunc(conv.messages, seq, func(m *message, seq uint64) int { return cmp.Compare(m.seq, seq) })
}

// begin returns where a page begins in a list of n items: behind the one that
// from_id names, whose index is found by find.
func (c *call) begin(p pageRequest, what string, find func(pageRequest) int, n int) (int, *failure) {
	if p.fromStart() {
		return 0, nil
	}
	i := -1
	if !p.bad {
		i = find(p)
	}
	switch {
	case i >= 0:
		return i + 1, nil
	case c.e.config.Switches.IgnoreUnknownFromID:
		return n, nil
	default:
		return 0, absent(what)
	}
}
