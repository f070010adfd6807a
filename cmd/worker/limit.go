package main

import (
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/admin"
	"github.com/layerq/layerq/internal/permits"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/worker"
	"github.com/layerq/layerq/layer"
)

// A limit is the rate limit of the fleet, if there is one.
type limit struct{ permits *permits.Limiter }

// tunePermits is for one request at a time, which permits repeats itself, knowing
// what became of the first.
func tunePermits(o *redis.UniversalOptions) {
	o.ContextTimeoutEnabled, o.MaxRetries, o.PoolSize = true, -1, 4
}

func newLimit(cfg *config.Worker, rdb redis.UniversalClient, metrics *worker.Metrics, log *slog.Logger) (*limit, error) {
	if cfg.RateLimit.Off() {
		return new(limit), nil
	}
	limiter, err := permits.New(rdb, permits.Options{
		Limit: permits.Limit{N: cfg.RateLimit.Calls, Per: cfg.RateLimit.Per}, Auto: cfg.RateLimit.Auto,
		CriticalReserve: int(cfg.CriticalReserve), AttemptTimeout: cfg.Layer.Timeout, Log: log,
	})
	if err != nil {
		return nil, err
	}
	metrics.Register(limiter)
	return &limit{limiter}, nil
}

// limiter returns what to ask before each call, nil for nothing.
func (l *limit) limiter() layer.Limiter {
	if l.permits == nil {
		return nil
	}
	return l.permits
}

// close is for when no call is under way any more.
func (l *limit) close() {
	if l.permits != nil {
		l.permits.Close()
	}
}

// line is what the start page shows of the limit; nil if there is none.
func (l *limit) line() *admin.Limit {
	if l.permits == nil {
		return nil
	}
	s := l.permits.Snapshot()
	line := &admin.Limit{Rate: s.Limit.String(), InUse: s.Taken, Most: s.Limit.N}
	if s.Auto {
		line.Rate += ", found out"
	}
	switch {
	case s.Source == permits.Local:
		line.Problem = "Redis does not answer: calls go on with what is this worker's share of the limit."
	case s.Limit.N == 0:
		line.Rate, line.Problem = "unknown", "Redis has not answered yet."
	}
	if s.FleetWaiting > 0 {
		line.Waiting = fmt.Sprintf("calls that wait: %d, of queue %s: %d", s.FleetWaiting, queue.Critical, s.CriticalWaiting)
	}
	return line
}
