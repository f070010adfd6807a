// Package dequeue makes an asynq server pick tasks up at once.
package dequeue

import (
	"context"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Options of a [Hook]; the zero value works.
type Options struct {
	// Log gets one line per outage and one per recovery. Defaults to discarding.
	Log *slog.Logger
	// Retention is for messages that ask for none. Defaults to 24 h; at least 1 s.
	Retention time.Duration
}

// UndecodableType is the type of the message that stands in for one that
// cannot be decoded. Its payload is the original's bytes, its header
// [HeaderUndecodable] the reason.
const UndecodableType = "layerq:undecodable"

// HeaderUndecodable is the header of an [UndecodableType] message that says what is wrong.
const HeaderUndecodable = "layerq-undecodable"

// Delivery is what the task's hash held, beside the message, when the task was handed out.
type Delivery struct {
	// Result is what an earlier execution left behind, nil if nothing: the task was done already.
	Result []byte
	// Attempts counts the executions that Layer answered.
	Attempts int
	// Deliveries counts how often the task was handed out, this time included.
	Deliveries int
}

// Hook is being built.
type Hook struct{}

// New is being built.
func New(rdb redis.UniversalClient, opts Options) *Hook { return &Hook{} }

// DialHook implements [redis.Hook].
func (h *Hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements [redis.Hook].
func (h *Hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements [redis.Hook].
func (h *Hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Delivery returns the side data of the task that was handed out last under id, once.
func (h *Hook) Delivery(id string) (Delivery, bool) { return Delivery{}, false }

// Due tells that a task of the queue becomes runnable at the given time.
func (h *Hook) Due(queue string, at time.Time) {}

// Health tells when Redis last answered, and the error since, if any.
func (h *Hook) Health() (lastOK time.Time, err error) { return time.Time{}, nil }

// Close releases every wait at once and ends every goroutine.
func (h *Hook) Close() {}

// ServerConfig returns the configuration of an asynq server for one queue, to be run on a client that carries the hook.
func ServerConfig(queue string, concurrency int) asynq.Config {
	_ = context.Background
	return asynq.Config{Concurrency: concurrency, Queues: map[string]int{queue: 1}, TaskCheckInterval: time.Millisecond}
}
