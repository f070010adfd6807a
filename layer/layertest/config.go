package layertest

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

// The app that an emulator serves when [Config] names none: what a machine
// with nothing configured talks to.
const (
	DefaultAppID = "11111111-1111-4111-8111-111111111111"
	DefaultToken = "sandbox"
)

// DefaultLogSize is how many requests an emulator remembers for
// GET /_emulator/requests, unless [Config] says otherwise.
const DefaultLogSize = 1_000_000

// App is an application of the emulator: an id, and a bearer token that has
// administrator rights over it. The state of two apps never meets. Naming one
// app twice gives it two tokens.
type App struct {
	ID    layer.AppID
	Token string
}

// DefaultApp is [DefaultAppID] with [DefaultToken].
func DefaultApp() App {
	return App{ID: layer.AppID(uuid.MustParse(DefaultAppID)), Token: DefaultToken}
}

// Config says what an emulator serves. Its zero value is ready for use.
type Config struct {
	// Apps are the applications served. Defaults to one: [DefaultAppID] with
	// [DefaultToken].
	Apps []App

	// Rate is the limit over all apps; the zero Rate is no limit. It can be
	// changed at run time with PUT /_emulator/limit.
	Rate Rate

	// Latency delays every answer to a request of the Layer API.
	Latency time.Duration

	// Log receives what an operator wants to know. Defaults to silence.
	Log *slog.Logger

	// LogSize is how many requests are remembered, the latest ones. Defaults
	// to [DefaultLogSize].
	LogSize int

	// Seed makes ids and the dice of faults the same in each run; 0 takes
	// them from the system's source. The order of concurrent requests still
	// decides which of them meets which number.
	Seed uint64

	// PublicURL is the base of the resources' url members. Defaults to
	// https://api.layer.com, whatever address is served, as programs written
	// against the live service expect.
	PublicURL string

	// RemoteControl lets callers from other machines use /_emulator/. Without
	// it only loopback callers, and those in memory, are answered.
	RemoteControl bool

	// Switches choose between behaviours that differed over time, or that no
	// source settles. The zero value is the service as it was in March 2016.
	Switches Switches
}

func (c Config) withDefaults() Config {
	if len(c.Apps) == 0 {
		c.Apps = []App{DefaultApp()}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.LogSize <= 0 {
		c.LogSize = DefaultLogSize
	}
	if c.PublicURL == "" {
		c.PublicURL = "https://api.layer.com"
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return c
}

// Rate is a limit of N requests in any window of length Per. The zero Rate is
// no limit.
type Rate struct {
	N   int
	Per time.Duration
}

// maxRate bounds the memory of the sliding window: one time per request in it.
const maxRate = 10_000_000

// ParseRate reads a limit in the form "N/duration", such as "100/1s", or "off".
func ParseRate(s string) (Rate, error) {
	if s == "off" {
		return Rate{}, nil
	}
	count, per, ok := strings.Cut(s, "/")
	n, err := strconv.Atoi(count)
	d, errPer := time.ParseDuration(per)
	if !ok || err != nil || errPer != nil || n < 1 || n > maxRate || d <= 0 {
		return Rate{}, fmt.Errorf("%q is not a rate: want N/duration such as 100/1s (N from 1 to %d, a positive duration), or off", s, maxRate)
	}
	return Rate{N: n, Per: d}, nil
}

// String returns the form that [ParseRate] reads.
func (r Rate) String() string {
	if r.N == 0 {
		return "off"
	}
	return fmt.Sprintf("%d/%s", r.N, r.Per)
}
