package config

import (
	"log/slog"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// setting is a row of the table from which flags, help, the documentation and
// every check of a single value are made.
type setting struct {
	name     string                          // of the flag, and of the setting in messages
	variable string                          // of the environment
	def      string                          // empty for none
	metavar  string                          // what the flag takes, in help
	meaning  string                          // one line
	allowed  string                          // what a wrong value is answered with
	mask     func(value string) string       // nil where the value may be shown
	parse    func(v *values, s string) error // the error completes "setting=value: "
}

// values is what the settings came to, whatever program they are for.
type values struct {
	redisURL     string
	layer        Layer
	queues       []Queue
	rateLimit    RateLimit
	reserve      Percent
	maxAttempts  int
	retryMin     time.Duration
	retryMax     time.Duration
	drainTimeout time.Duration
	retention    time.Duration
	sources      Sources
	adminAddr    string
	adminToken   Secret
	logFormat    string
	logLevel     slog.Level
}

// The ends of the ranges of durations are where a value is sure to be a
// mistake. Retention is kept by asynq in whole seconds.
var (
	timeouts   = durations{least: time.Millisecond, most: 10 * time.Minute}
	backoffs   = durations{least: time.Millisecond, most: 24 * time.Hour}
	drains     = durations{least: 100 * time.Millisecond, most: time.Hour}
	fetches    = durations{least: time.Second, most: 12 * time.Hour}
	retentions = durations{least: time.Second, most: 365 * 24 * time.Hour, whole: time.Second}
)

const maxAttempts = 10_000

// table has every setting, in the order of help and documentation.
var table = []setting{
	{
		name: "redis-url", variable: "REDIS_URL", metavar: "URL",
		meaning: "Redis that holds the queues; user, password, database and TLS options are part of the URL",
		allowed: "redis://, rediss://, unix://, redis-sentinel://h1,h2/MASTER or redis-cluster://h1,h2",
		mask:    maskURL,
		parse: func(v *values, s string) (err error) {
			v.redisURL, err = parseRedisURL(s)
			return err
		},
	},
	{
		name: "layer-base-url", variable: "LAYER_BASE_URL", def: defaultBaseURL, metavar: "URL",
		meaning: "Layer-compatible server",
		allowed: allowedBaseURL,
		mask:    maskURL,
		parse: func(v *values, s string) (err error) {
			v.layer.BaseURL, err = parseBaseURL(s)
			return err
		},
	},
	{
		name: "layer-app-id", variable: "LAYER_APP_ID", metavar: "ID",
		meaning: "app at Layer",
		allowed: "a UUID, bare or as layer:///apps/staging/UUID or layer:///apps/production/UUID",
		parse: func(v *values, s string) (err error) {
			v.layer.AppID, err = parseAppID(s)
			return err
		},
	},
	{
		name: "layer-token", variable: "LAYER_TOKEN", metavar: "TOKEN",
		meaning: "bearer token of the app; better given as LAYER_TOKEN_FILE than as a flag, which other users of the machine can read",
		allowed: allowedToken,
		mask:    maskAll,
		parse: func(v *values, s string) (err error) {
			v.layer.Token, err = parseToken(s)
			return err
		},
	},
	{
		name: "layer-api-version", variable: "LAYER_API_VERSION", def: "1.0", metavar: "V",
		meaning: "version of the Platform API that is asked for",
		allowed: "1.0 or 1.1",
		parse: func(v *values, s string) (err error) {
			v.layer.APIVersion, err = parseAPIVersion(s)
			return err
		},
	},
	{
		name: "layer-timeout", variable: "LAYER_TIMEOUT", def: "10s", metavar: "D",
		meaning: "longest time that one HTTP attempt takes, or that an upload stands still",
		allowed: timeouts.allowed("10s"),
		parse: func(v *values, s string) (err error) {
			v.layer.Timeout, err = timeouts.parse(s)
			return err
		},
	},
	{
		name: "queues", variable: "LAYERQ_QUEUES", def: "critical=16,default=32,bulk=16", metavar: "NAME=N,...",
		meaning: "queues that this process serves, and how many tasks of each run at once",
		allowed: allowedQueues,
		parse: func(v *values, s string) (err error) {
			v.queues, err = ParseQueues(s)
			return err
		},
	},
	{
		name: "rate-limit", variable: "LAYERQ_RATE_LIMIT", def: rateOff, metavar: "N/D",
		meaning: "calls to Layer that the whole fleet may make, N in every D; auto finds it out",
		allowed: allowedRate,
		parse: func(v *values, s string) (err error) {
			v.rateLimit, err = ParseRateLimit(s)
			return err
		},
	},
	{
		name: "critical-reserve", variable: "LAYERQ_CRITICAL_RESERVE", def: "10%", metavar: "P%",
		meaning: "share of the rate limit that only queue " + queue.Critical + " may use",
		allowed: allowedReserve + "; needs a rate limit where it is set",
		parse: func(v *values, s string) (err error) {
			v.reserve, err = ParseReserve(s)
			return err
		},
	},
	{
		name: "max-attempts", variable: "LAYERQ_MAX_ATTEMPTS", def: "25", metavar: "N",
		meaning: "attempts that Layer answered with a failure, before a task is archived",
		allowed: "a whole number from 1 to 10000",
		parse: func(v *values, s string) (err error) {
			v.maxAttempts, err = parseCount(s, 1, maxAttempts)
			return err
		},
	},
	{
		name: "retry-min", variable: "LAYERQ_RETRY_MIN", def: "1s", metavar: "D",
		meaning: "first backoff between attempts (full jitter)",
		allowed: backoffs.allowed("1s") + ", at most the longest backoff",
		parse: func(v *values, s string) (err error) {
			v.retryMin, err = backoffs.parse(s)
			return err
		},
	},
	{
		name: "retry-max", variable: "LAYERQ_RETRY_MAX", def: "10m", metavar: "D",
		meaning: "longest backoff between attempts",
		allowed: backoffs.allowed("10m") + ", at least the first backoff",
		parse: func(v *values, s string) (err error) {
			v.retryMax, err = backoffs.parse(s)
			return err
		},
	},
	{
		name: "drain-timeout", variable: "LAYERQ_DRAIN_TIMEOUT", def: "25s", metavar: "D",
		meaning: "after SIGTERM, how long running tasks may finish before they go back to the queue",
		allowed: drains.allowed("25s"),
		parse: func(v *values, s string) (err error) {
			v.drainTimeout, err = drains.parse(s)
			return err
		},
	},
	{
		name: "retention", variable: "LAYERQ_RETENTION", def: "24h", metavar: "D",
		meaning: "how long a finished task and its result are kept, and the same dedupe UUID is recognised; it goes with the task: set it where tasks are enqueued, a worker uses its own for tasks without one",
		allowed: retentions.allowed("24h"),
		parse: func(v *values, s string) (err error) {
			v.retention, err = retentions.parse(s)
			return err
		},
	},
	{
		name: "source-dirs", variable: "LAYERQ_SOURCE_DIRS", metavar: "DIR,...",
		meaning: "directories that producers and workers see under the same paths: workers may read file: sources in them, and producers leave those to the workers",
		allowed: allowedDirs,
		parse: func(v *values, s string) (err error) {
			v.sources.Dirs, err = ParseDirs(s)
			return err
		},
	},
	{
		name: "source-private", variable: "LAYERQ_SOURCE_PRIVATE", def: "false", metavar: "BOOL",
		meaning: "whether workers fetch https: sources from loopback, private and link-local addresses too",
		allowed: "true or false",
		parse: func(v *values, s string) error {
			word, err := parseChoice(s, "true", "false")
			v.sources.Private = word == "true"
			return err
		},
	},
	{
		name: "source-max-size", variable: "LAYERQ_SOURCE_MAX_SIZE", def: "2GiB", metavar: "SIZE",
		meaning: "largest source that a worker uploads",
		allowed: allowedSize,
		parse: func(v *values, s string) (err error) {
			v.sources.MaxSize, err = ParseSize(s)
			return err
		},
	},
	{
		name: "source-timeout", variable: "LAYERQ_SOURCE_TIMEOUT", def: "30m", metavar: "D",
		meaning: "longest time that fetching and uploading the sources of one task takes; a transfer in which no byte moves ends sooner",
		allowed: fetches.allowed("30m"),
		parse: func(v *values, s string) (err error) {
			v.sources.Timeout, err = fetches.parse(s)
			return err
		},
	},
	{
		name: "admin-addr", variable: "LAYERQ_ADMIN_ADDR", def: "127.0.0.1:8080", metavar: "ADDR",
		meaning: "where health, metrics and asynqmon are served",
		allowed: allowedAdminAddr,
		parse: func(v *values, s string) (err error) {
			v.adminAddr, err = parseAdminAddr(s)
			return err
		},
	},
	{
		name: "admin-token", variable: "LAYERQ_ADMIN_TOKEN", metavar: "TOKEN",
		meaning: "needed for everything but health and metrics; without it the admin pages serve loopback only, read-only",
		allowed: allowedToken,
		mask:    maskAll,
		parse: func(v *values, s string) (err error) {
			v.adminToken, err = parseToken(s)
			return err
		},
	},
	{
		name: "log-format", variable: "LAYERQ_LOG_FORMAT", def: "text", metavar: "FORMAT",
		meaning: "how logs are written to standard error",
		allowed: "text or json",
		parse: func(v *values, s string) (err error) {
			v.logFormat, err = parseChoice(s, "text", "json")
			return err
		},
	},
	{
		name: "log-level", variable: "LAYERQ_LOG_LEVEL", def: "info", metavar: "LEVEL",
		meaning: "what is logged: this and above",
		allowed: "debug, info, warn or error",
		parse: func(v *values, s string) (err error) {
			v.logLevel, err = parseLevel(s)
			return err
		},
	},
}
