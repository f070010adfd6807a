package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/layerq/layerq/internal/wording"
)

// RateLimit is how many calls the whole fleet may make. The zero value is no
// limit.
type RateLimit struct {
	Calls int           // calls in any window of length Per; 0 for none or Auto
	Per   time.Duration // the window
	Auto  bool          // the limit is found out
}

// The words for a limit that is no number.
const (
	rateOff  = "off"
	rateAuto = "auto"
)

const maxCalls = 1_000_000

// A shorter window is below what networks jitter by; a longer one is no rate.
var rateWindows = durations{least: 10 * time.Millisecond, most: 24 * time.Hour}

// ParseRateLimit reads LAYERQ_RATE_LIMIT: "N/duration" such as "100/1s" or
// "1000/1m", "off", or "auto". N is 1 to 1,000,000, the duration 10ms to 24h.
func ParseRateLimit(s string) (RateLimit, error) {
	switch s {
	case rateOff:
		return RateLimit{}, nil
	case rateAuto:
		return RateLimit{Auto: true}, nil
	}
	calls, per, found := strings.Cut(s, "/")
	if !found || calls == "" || per == "" {
		return RateLimit{}, errors.New("is no rate")
	}
	n, err := parseCount(calls, 1, maxCalls)
	if err != nil {
		return RateLimit{}, fmt.Errorf("the number of calls %q %w", calls, err)
	}
	window, err := rateWindows.parse(per)
	if err != nil {
		if _, oneUnit := time.ParseDuration("1" + per); oneUnit == nil && strings.Trim(per, "hmsnuµ") == "" {
			return RateLimit{}, fmt.Errorf("the duration %q has no number: write %s/1%s", per, calls, per)
		}
		return RateLimit{}, fmt.Errorf("the duration %q %w", per, err)
	}
	return RateLimit{Calls: n, Per: window}, nil
}

var allowedRate = fmt.Sprintf("off, auto, or N/duration with N from 1 to %d and the duration from %s to %s, such as 100/1s or 1000/1m",
	maxCalls, wording.Duration(rateWindows.least), wording.Duration(rateWindows.most))

// Off reports whether there is no limit.
func (r RateLimit) Off() bool { return r.Calls == 0 && !r.Auto }

// String returns the limit as [ParseRateLimit] takes it.
func (r RateLimit) String() string {
	switch {
	case r.Auto:
		return rateAuto
	case r.Off():
		return rateOff
	}
	return fmt.Sprintf("%d/%s", r.Calls, wording.Duration(r.Per))
}

// Percent is a share in whole percent.
type Percent int

// ParseReserve reads LAYERQ_CRITICAL_RESERVE: whole percents from 0% to 99%.
// All of it is refused: every queue but critical would stand still.
func ParseReserve(s string) (Percent, error) {
	number, found := strings.CutSuffix(s, "%")
	if !found {
		return 0, errors.New("has no % at its end")
	}
	if number == "" {
		return 0, errors.New("has no number")
	}
	if number == "100" {
		return 0, errors.New("leaves nothing to the other queues")
	}
	n, err := parseCount(number, 0, 99)
	return Percent(n), err
}

const allowedReserve = "a whole percentage from 0% to 99%"

// String returns the share with its percent sign.
func (p Percent) String() string { return fmt.Sprintf("%d%%", int(p)) }
