package permits

import (
	"math"
	"time"
)

// bound is how long a request may be on its way to the server if its worker dies and
// so nobody hears of an answer. It goes by how long answers took lately: what
// makes them slow is what delays requests.
type bound struct {
	slowest time.Duration // answer, 0 if there was none
	since   time.Duration // when it came
}

const (
	// boundFactor is for what was not seen yet.
	boundFactor = 4
	// boundHalf is the time after which a slow answer counts half.
	boundHalf = 30 * time.Second
)

// took takes how long an answer took.
func (b *bound) took(now, d time.Duration) {
	if d >= b.lately(now) {
		b.slowest, b.since = d, now
	}
}

func (b *bound) lately(now time.Duration) time.Duration {
	return time.Duration(float64(b.slowest) * math.Exp2(-float64(now-b.since)/float64(boundHalf)))
}

// at returns the bound, most at most: as long as nothing is known it is that.
func (b *bound) at(now, most time.Duration) time.Duration {
	if b.slowest == 0 {
		return most
	}
	return min(most, max(leastBound, boundFactor*b.lately(now)))
}
