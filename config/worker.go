package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/layerq/layerq/layer"
)

// Worker is the configuration of a worker. Every field holds a checked value.
type Worker struct {
	// Sandbox is true where nothing says where Redis and Layer are: the worker
	// then serves both itself, at the addresses in RedisURL and Layer.BaseURL.
	Sandbox bool

	RedisURL        RedisURL
	Layer           Layer
	Queues          []Queue       // in the order given, each once
	RateLimit       RateLimit     // of the whole fleet
	CriticalReserve Percent       // of the rate limit, for queue "critical" alone
	MaxAttempts     int           // at least 1
	RetryMin        time.Duration // first backoff; at most RetryMax
	RetryMax        time.Duration // longest backoff
	DrainTimeout    time.Duration // never 0
	Retention       time.Duration // whole seconds, at least 1
	Sources         Sources       // of rich content
	AdminAddr       string        // host:port; the host may be empty, the port 0
	AdminToken      Secret        // empty for none
	Log             Log

	// Settings are the effective settings with their origin, secrets masked.
	Settings Settings
	// Warnings are sentences about variables that look like settings.
	Warnings []string
}

// Layer is how the Layer API is reached.
type Layer struct {
	BaseURL    string // without a slash at its end
	AppID      layer.AppID
	Token      Secret
	TokenFile  string        // the file that Token was read from; empty where it was none
	APIVersion string        // "1.0" or "1.1"
	Timeout    time.Duration // of one HTTP attempt
}

// WorkerFlags adds the flags of a worker's settings to flags.
func WorkerFlags(flags *pflag.FlagSet) { addFlags(flags, table) }

// LoadWorker reads a worker's configuration from flags, to which [WorkerFlags]
// added the settings and which are parsed, and from environ in the form of
// os.Environ. What is wrong with it is returned as [Errors].
func LoadWorker(flags *pflag.FlagSet, environ []string) (*Worker, error) {
	l, err := load(table, flags, environ)
	if err != nil {
		return nil, err
	}
	sandbox := l.place()
	l.checkBackoff()
	l.checkReserve()
	if err := l.wrong.orNil(); err != nil {
		return nil, err
	}
	v := l.values
	v.layer.TokenFile = l.files["layer-token"]
	return &Worker{
		Sandbox:         sandbox,
		RedisURL:        RedisURL(v.redisURL),
		Layer:           v.layer,
		Queues:          v.queues,
		RateLimit:       v.rateLimit,
		CriticalReserve: v.reserve,
		MaxAttempts:     v.maxAttempts,
		RetryMin:        v.retryMin,
		RetryMax:        v.retryMax,
		DrainTimeout:    v.drainTimeout,
		Retention:       v.retention,
		Sources:         v.sources,
		AdminAddr:       v.adminAddr,
		AdminToken:      v.adminToken,
		Log:             Log{Format: v.logFormat, Level: v.logLevel},
		Settings:        l.effective(),
		Warnings:        l.warnings,
	}, nil
}

// place decides between the sandbox and a real Redis with a real API: all of
// it must be given, or nothing.
func (l *loaded) place() (sandbox bool) {
	var set []string
	for _, name := range []string{"redis-url", "layer-base-url", "layer-app-id", "layer-token"} {
		if l.set(name) {
			set = append(set, l.given[name].Source)
		}
	}
	if len(set) == 0 {
		for name, value := range map[string]string{
			"redis-url": SandboxRedisURL, "layer-base-url": SandboxBaseURL,
			"layer-app-id": SandboxAppID, "layer-token": SandboxToken,
		} {
			l.put(name, value, fromSandbox)
		}
		return true
	}
	because := strings.Join(set, " and ") + " " + is(len(set)) + " set"
	if !l.set("redis-url") {
		l.missing("redis-url", "is missing, but "+because+": a worker with a real API never runs on the sandbox's Redis, which keeps nothing")
	}
	for _, name := range []string{"layer-app-id", "layer-token"} {
		if !l.set(name) {
			l.missing(name, "is missing, but "+because+": without the sandbox's app a worker needs one of its own")
		}
	}
	return false
}

// put gives a setting a value that is known to be right.
func (l *loaded) put(name, value, from string) {
	s := row(name)
	g := given{Value: value, From: from, Source: s.variable}
	l.given[name] = g
	if e := l.take(s, g); e != nil {
		l.wrong = append(l.wrong, e)
	}
}

func is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// checkReserve refuses a share of nothing: who asks for one believes that there is a limit.
func (l *loaded) checkReserve() {
	if !l.set("critical-reserve") || !l.valid("critical-reserve") || !l.valid("rate-limit") || !l.values.rateLimit.Off() {
		return
	}
	limit := l.given["rate-limit"]
	l.refuse("critical-reserve", fmt.Sprintf("is a share of the rate limit, and there is none: %s=%s%s", limit.Source, limit.Value, ifDefault(limit)),
		allowedReserve+" of a rate limit that is set")
}

// checkBackoff refuses a first backoff above the longest, and blames the one
// that the user gave.
func (l *loaded) checkBackoff() {
	if !l.valid("retry-min") || !l.valid("retry-max") || l.values.retryMin <= l.values.retryMax {
		return
	}
	first, longest := l.given["retry-min"], l.given["retry-max"]
	if first.From == fromDefault {
		l.refuse("retry-max", fmt.Sprintf("is less than the first backoff, %s=%s (default)", first.Source, first.Value), row("retry-max").allowed)
		return
	}
	l.refuse("retry-min", fmt.Sprintf("is more than the longest backoff, %s=%s%s", longest.Source, longest.Value, ifDefault(longest)), row("retry-min").allowed)
}

func ifDefault(g given) string {
	if g.From == fromDefault {
		return " (default)"
	}
	return ""
}
