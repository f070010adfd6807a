package layertest

import (
	"fmt"
	"log/slog"
	"net/http"
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
	// decides which of them meets which number, and the time what is time in the
	// ids of Switches.TimeBasedIDs.
	Seed uint64

	// PublicURL is the base of the resources' url members. Defaults to
	// https://api.layer.com, whatever address is served, as programs written
	// against the live service expect. The addresses of rich content, which
	// are there to be used, have the host that was asked for them, unless
	// PublicURL is set.
	PublicURL string

	// DownloadTTL is how long an address to download rich content from works.
	// Defaults to 1 h.
	DownloadTTL time.Duration

	// PatchDelay is how long a patch of a block list, or of a suspension, takes
	// to take effect after it was acknowledged, if Switches.QueuedPatches says
	// that it waits at all. Defaults to 1 s.
	PatchDelay time.Duration

	// WebhookClient calls the targets of webhooks, WebhookPatience is how long
	// an event is tried again before its webhook becomes inactive. Default to
	// a client that follows no redirect, and to 30 min.
	WebhookClient   *http.Client
	WebhookPatience time.Duration

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
	if c.DownloadTTL <= 0 {
		c.DownloadTTL = time.Hour
	}
	if c.PatchDelay <= 0 {
		c.PatchDelay = time.Second
	}
	if c.WebhookClient == nil {
		c.WebhookClient = &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if c.WebhookPatience <= 0 {
		c.WebhookPatience = 30 * time.Minute
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
	per := r.Per.String()
	if strings.HasSuffix(per, "m0s") {
		per = strings.TrimSuffix(per, "0s")
	}
	if strings.HasSuffix(per, "h0m") {
		per = strings.TrimSuffix(per, "0m")
	}
	return strconv.Itoa(r.N) + "/" + per
}
