//go:build limits && linux

package limits

import (
	"sort"
	"strings"
	"time"

	"github.com/layerq/layerq/layer"
)

// arrival is one request as the emulator saw it.
type arrival struct {
	at      time.Time
	refused bool
	path    string
}

type arrivals []arrival

// from returns those from a time on.
func (a arrivals) from(at time.Time) arrivals {
	return a[sort.Search(len(a), func(i int) bool { return !a[i].at.Before(at) }):]
}

// until returns those before a time.
func (a arrivals) until(at time.Time) arrivals {
	return a[:sort.Search(len(a), func(i int) bool { return !a[i].at.Before(at) })]
}

func (a arrivals) refused() (n int) {
	for _, r := range a {
		if r.refused {
			n++
		}
	}
	return n
}

// most is how many arrived in the fullest window of a length.
func (a arrivals) most(per time.Duration) int {
	most, last := 0, 0
	for first := range a {
		for last < len(a) && a[last].at.Sub(a[first].at) < per {
			last++
		}
		most = max(most, last-first)
	}
	return most
}

// used is the share of n in every window of a length that was taken between two
// times and not refused.
func (a arrivals) used(n int, per time.Duration, from, to time.Time) float64 {
	span := a.from(from).until(to)
	allowed := float64(n) * float64(to.Sub(from)) / float64(per)
	return float64(len(span)-span.refused()) / allowed
}

// to is how many went to a conversation.
func (a arrivals) to(room layer.ConversationID) (n int) {
	for _, r := range a {
		if strings.Contains(r.path, room.UUID().String()) {
			n++
		}
	}
	return n
}

// lastTo is when the last one went there.
func (a arrivals) lastTo(room layer.ConversationID) (at time.Time) {
	for _, r := range a {
		if strings.Contains(r.path, room.UUID().String()) {
			at = r.at
		}
	}
	return at
}
