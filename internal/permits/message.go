package permits

import "time"

// request is what a worker tells Redis and asks of it in one round trip.
type request struct {
	worker string
	set    settings
	lease  time.Duration // of the permits it gets
	news   news
	count  bool // the worker is to be counted
	epoch  int64
	known  int // how many workers the sender knows of
	held   int // how many permits it has
	want   [classes]int
	first  uint64 // the number of the first permit it gets
	tell   []fate

	sent time.Duration // when
}

// news is what a worker has to say about itself.
type news string

const (
	noNews news = ""
	away   news = "away"  // Redis was lost, the local limiter stood in
	lost   news = "lost"  // Redis forgot the script: what was written last may be lost
	leave  news = "leave" // the worker ends
)

// fate is what became of a permit.
type fate struct {
	number  uint64
	class   class
	until   time.Duration // when it is over, on the worker's clock
	unused  bool          // it is over at once
	stale   time.Duration // from then on Redis knows that it is over without being told
	outcome outcome
	begin   int64 // when it began, in microseconds of Redis' clock
}

// left is how long after now, in microseconds, the permit is over: rounded up,
// since early would be too early. An unused one is over even if it has not begun: those
// that it was to follow are still there.
func (f fate) left(now time.Duration) int64 {
	if f.unused {
		return 0
	}
	return int64((f.until - now + time.Microsecond - 1) / time.Microsecond)
}

// outcome is what the server had to say about its limit.
type outcome int

const (
	unknown  outcome = iota
	accepted         // not above the limit
	refused          // 429
)

// reply is the answer to a request. Times are microseconds.
type reply struct {
	now     int64 // of Redis' clock
	limit   int   // in force
	taken   int   // permits, of the whole fleet; -1 if they were not counted
	workers int
	waiting [classes]int // calls that wait, in the whole fleet
	epoch   int64        // changes when Redis may have lost permits
	wait    int64        // until asking again is worth it; 0 if all was given
	rivals  int          // other workers that wait
	begin   [classes][]int64
}
