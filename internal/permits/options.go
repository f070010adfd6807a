package permits

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Limit is how many calls may be made in any window of a length.
type Limit struct {
	N   int
	Per time.Duration
}

// String returns the limit as "100/1s" or "1000/1m".
func (l Limit) String() string {
	per := l.Per.String()
	if strings.HasSuffix(per, "m0s") {
		per = strings.TrimSuffix(per, "0s")
	}
	if strings.HasSuffix(per, "h0m") {
		per = strings.TrimSuffix(per, "0m")
	}
	return fmt.Sprintf("%d/%s", l.N, per)
}

// Options of a [Limiter]. Every worker of a fleet has the same.
type Options struct {
	// Limit is what the fleet may call, N at most 1,000,000 and Per 10ms to 24h. Required unless Auto.
	Limit Limit
	// Auto finds the limit out, in calls per second, beginning with 10. Limit must be zero then.
	Auto bool
	// CriticalReserve is the share of the limit, 0 to 99 percent, that only calls
	// of queue critical may use. The others keep one permit at least.
	CriticalReserve int
	// AttemptTimeout is the longest that one attempt may take. Defaults to 10 s.
	AttemptTimeout time.Duration
	// Log is told when Redis is lost and found. Defaults to none.
	Log *slog.Logger
}

const defaultTimeout = 10 * time.Second

func (o Options) validate() error {
	switch {
	case o.Auto && o.Limit != Limit{}:
		return errors.New("permits: a limit is either given or found out, not both")
	case o.Auto:
	case o.Limit.N < 1 || o.Limit.N > mostPermits:
		return fmt.Errorf("permits: limit of %d calls: must be 1 to %d", o.Limit.N, mostPermits)
	case o.Limit.Per < 10*time.Millisecond || o.Limit.Per > 24*time.Hour:
		return fmt.Errorf("permits: limit per %s: must be 10ms to 24h", o.Limit.Per)
	}
	if o.CriticalReserve < 0 || o.CriticalReserve > 99 {
		return fmt.Errorf("permits: reserve of %d%%: must be 0 to 99", o.CriticalReserve)
	}
	if o.AttemptTimeout < 0 {
		return fmt.Errorf("permits: attempt timeout %s is negative", o.AttemptTimeout)
	}
	return nil
}

// settings are the options with all that follows from them.
type settings struct {
	limit   int // 0: it is found out
	reserve int // percent

	// window is T, and a little for clocks that do not run alike, or count in milliseconds.
	window time.Duration
	// late is how long a request that was given up may still be on its way.
	late time.Duration
	// life is for how long a permit is taken at most if nobody tells what became of it.
	life time.Duration
	// ahead is how long before it begins a permit may be given. Calls of queue
	// critical wait that long for what was given to others just before they came.
	ahead time.Duration
	// yield is for how long a permit is left to workers that have less than their share.
	yield time.Duration
	// flush is how long the news of an answer may wait for company.
	flush time.Duration
	// nap is the longest sleep while somebody waits.
	nap time.Duration
}

const (
	mostPermits = 1_000_000
	autoWindow  = time.Second
	// leastBound is how long the network may take with a request at least, before
	// anything is known of it: a packet that was lost thrice, a connection refused once.
	leastBound = 1500 * time.Millisecond
	// slack is what may pass between the moment a permit begins and the moment its
	// attempt does.
	slack = 500 * time.Millisecond
	// answer is how long Redis may take for one request.
	answer = 500 * time.Millisecond
	// patience is how long Redis may not answer before the local limiter stands in.
	patience = 1250 * time.Millisecond
	// retry is how long after an error Redis is asked again, and probe how often while the local limiter stands in.
	retry = 100 * time.Millisecond
	probe = 500 * time.Millisecond
	// beat is how often a worker asks Redis at least: so that each one notices a
	// failure that lets another one's local limiter stand in.
	beat = 750 * time.Millisecond
	// doubt is how long Redis may be silent without any local limiter standing in.
	doubt = patience - beat - 50*time.Millisecond
)

func (o Options) settings() settings {
	s := settings{limit: o.Limit.N, reserve: o.CriticalReserve, window: o.Limit.Per, late: o.AttemptTimeout}
	if o.Auto {
		s.window = autoWindow
	}
	if s.late == 0 {
		s.late = defaultTimeout
	}
	per := s.window
	s.window += max(per/1000, min(time.Millisecond, per/100))
	s.life = s.late + slack + s.window
	s.ahead = min(20*time.Millisecond, per/20)
	s.yield = min(250*time.Millisecond, per/40)
	s.flush = min(25*time.Millisecond, per/40)
	s.nap = min(time.Second, max(5*time.Millisecond, per/2))
	return s
}

// othersOf is how many of the permits queues other than critical may use.
func (s settings) othersOf(limit int) int { return max(1, limit*(100-s.reserve)/100) }
