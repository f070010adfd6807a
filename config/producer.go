package config

import (
	"log/slog"
	"time"

	"github.com/spf13/pflag"
)

// Producer is the configuration of a program that enqueues tasks and looks
// after them. It needs no access to Layer.
type Producer struct {
	// Sandbox is true where RedisURL is the sandbox's, for want of another.
	Sandbox   bool
	RedisURL  RedisURL
	Retention time.Duration // whole seconds, at least 1
	// SourceDirs are the directories whose files workers read themselves.
	SourceDirs []string
	Log        Log

	// Settings are the effective settings with their origin, secrets masked.
	Settings Settings
	// Warnings are sentences about variables that look like settings.
	Warnings []string
}

// Log is how a program logs.
type Log struct {
	Format string // "text" or "json"
	Level  slog.Level
}

func producerTable() []setting {
	return rows("redis-url", "retention", "source-dirs", "log-format", "log-level")
}

// ProducerFlags adds the flags of a producer's settings to flags.
func ProducerFlags(flags *pflag.FlagSet) { addFlags(flags, producerTable()) }

// LoadProducer reads a producer's configuration, as [LoadWorker] does for a
// worker. Variables that only a worker has are known and not looked at. Without
// a Redis it is the sandbox's.
func LoadProducer(flags *pflag.FlagSet, environ []string) (*Producer, error) {
	l, err := load(producerTable(), flags, environ)
	if err != nil {
		return nil, err
	}
	sandbox := !l.set("redis-url")
	if sandbox {
		l.put("redis-url", SandboxRedisURL, fromSandbox)
	}
	if err := l.wrong.orNil(); err != nil {
		return nil, err
	}
	v := l.values
	return &Producer{
		Sandbox:    sandbox,
		RedisURL:   RedisURL(v.redisURL),
		Retention:  v.retention,
		SourceDirs: v.sources.Dirs,
		Log:        Log{Format: v.logFormat, Level: v.logLevel},
		Settings:   l.effective(),
		Warnings:   l.warnings,
	}, nil
}
