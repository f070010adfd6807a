package holds

import "time"

// breaker is what this process contributes to the fleet's knowledge of an outage.
type breaker struct {
	answered time.Time // when the API answered last
	told     time.Time // the answer that Redis was told of last
	asked    bool      // the fleet wants to know whether anybody is answered

	row      int         // failures in a row
	crowd    int         // the most tasks that were in hand meanwhile
	failures []time.Time // those, as far as Redis was not told of them
	lastCode string
	unjudged time.Time // when the first failure was that Redis has not judged; zero if there is none
	doubtful time.Time // nobody calls: at that time the fleet's word is asked for; zero if not

	attempts int // under way
	holdup   int // those that wait because of this

	confirming bool // the fleet's word is asked for
}

// count notes an answer or a failure, and how many tasks are in hand. The caller has mu.
func (b *breaker) count(f finding, hands int, now time.Time) {
	if f.kind != failing {
		b.answered, b.row, b.crowd, b.failures, b.doubtful, b.unjudged = now, 0, 0, nil, time.Time{}, time.Time{}
		return
	}
	b.row++
	b.crowd = max(b.crowd, hands)
	b.lastCode = f.code
	if b.unjudged.IsZero() {
		b.unjudged = now
	}
	b.failures = append(b.failures, now)
	if len(b.failures) > threshold {
		b.failures = b.failures[1:]
	}
}

// enough is how many failures in a row are an outage, if other tasks wait. Where few tasks run, each would lose many attempts until the
// fleet has seen as many as are needed where hundreds fail at random.
func (b *breaker) enough() int {
	if b.crowd == 0 {
		return threshold
	}
	return min(least*b.crowd, threshold)
}

// wait tells for how long an attempt is to wait, unless something changes: until some of those under way are
// answered, or until Redis has judged the failures. 0 is not at all.
func (b *breaker) wait(now time.Time) time.Duration {
	switch {
	case !b.doubtful.IsZero():
		return max(0, b.doubtful.Add(answer).Sub(now))
	case b.row < wary:
		return 0
	case b.attempts >= few:
		return idle
	case !b.unjudged.IsZero():
		return max(0, b.unjudged.Add(answer).Sub(now))
	}
	return 0
}
