package holds

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"
)

// Options of a [Keeper].
type Options struct {
	// Token gives the token that calls are made with. A hold because of refused credentials
	// ends for this worker when it changes. Defaults to none.
	Token func() string
	// App says which app at which server the token is for.
	App string
	// AttemptTimeout is the longest that one attempt may take. Defaults to 10 s.
	AttemptTimeout time.Duration
	// FindsLimit tells that a limiter behind this one finds the API's rate limit out
	// by being refused: then a 429 without Retry-After is its business, and holds nobody
	// unless there is nothing else.
	FindsLimit bool
	// Log gets one line when a hold begins and one when it ends. Defaults to discarding.
	Log *slog.Logger

	// poll is how often a held worker asks what became of the hold, beside hearing of it. Only tests set it.
	poll time.Duration
}

const (
	defaultTimeout = 10 * time.Second

	// threshold is how many failures of the fleet, with no answer between them, are
	// an outage. If 30 % of all calls fail at random, so many in a row come once in 40
	// thousand million calls.
	threshold = 20
	// least is the same where one task is in hand and others wait; each other one in hand adds as many. It is two executions with
	// their short repetitions.
	least = 6
	// confirm is how long the fleet then waits for one of its workers to say that it was answered:
	// these do not tell while all is well.
	confirm = 250 * time.Millisecond
	// wary is after how many failures in a row a process has no more than few attempts under way.
	wary, few = 3, 4

	// probeLease is how long a probe has from being granted to its attempt.
	probeLease = 15 * time.Second
	// spare is what its attempt may take beyond the attempt's timeout.
	spare = 5 * time.Second

	// A process opens with one task of each queue after a hold, and with some when it has not heard of the API
	// for idle. Each answer lets one more in, so that the number doubles with every
	// round; above wide it is not counted any more.
	cold, wide = 8, 256

	// amid is how large the window is when a 429 is one among calls that are answered. The fleet is held for
	// a short time then, however often it comes. If that was too short, the probe finds it out.
	amid   = 2
	idle   = 10 * time.Second
	second = time.Second

	defaultPoll = 10 * time.Second
	// answer is how long Redis may take, and retry how long after a failure it is asked again.
	answer = 2 * time.Second
	retry  = 250 * time.Millisecond
)

func (o Options) withDefaults() Options {
	if o.Token == nil {
		o.Token = func() string { return "" }
	}
	if o.AttemptTimeout <= 0 {
		o.AttemptTimeout = defaultTimeout
	}
	if o.poll <= 0 {
		o.poll = defaultPoll
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// credentials tells tokens apart, and nothing of them: twenty bits are too few to
// confirm a guess. Two tokens that look alike wait for each other's probes.
func (o Options) credentials() string {
	sum := sha256.Sum256([]byte(o.App + "\x00" + o.Token()))
	return hex.EncodeToString(sum[:3])[:5]
}
