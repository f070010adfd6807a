package main

import (
	"context"
	"fmt"
	"time"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/admin"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/internal/redisurl"
	"github.com/layerq/layerq/internal/worker"
)

// A page makes what the start page shows of the worker.
type page struct {
	cfg     *config.Worker
	pool    *worker.Worker
	limit   *limit
	redis   *redisLook
	slots   map[string]int
	started time.Time
}

func newPage(cfg *config.Worker, pool *worker.Worker, limit *limit, redis *redisLook) *page {
	return &page{cfg: cfg, pool: pool, limit: limit, redis: redis, slots: concurrency(cfg), started: time.Now()}
}

func (p *page) make(ctx context.Context) admin.Page {
	out := admin.Page{State: p.pool.State(), Reasons: p.pool.Ready(ctx), Warnings: p.redis.warnings(), Limit: p.limit.line(), Facts: p.facts()}
	infos, err := p.pool.Queues(ctx)
	if err != nil {
		out.QueuesError = "The queues cannot be counted: Redis " + redischeck.Explain(err)
	}
	for _, q := range infos {
		line := admin.Queue{
			Name: q.Queue, Pending: q.Pending, Waiting: q.Waiting, Scheduled: q.Scheduled, Active: q.Active,
			Retry: q.Retry, Archived: q.Archived, Completed: q.Completed, Latency: q.Latency, Paused: q.Paused,
			Running: p.pool.InFlight(q.Queue), Concurrency: p.slots[q.Queue],
		}
		if q.Held != nil {
			line.Held = fmt.Sprintf("held until %s: %s", q.Held.Until.UTC().Format(time.TimeOnly), q.Held.Reason)
		}
		out.Queues = append(out.Queues, line)
	}
	return out
}

func (p *page) facts() []admin.Fact {
	facts := []admin.Fact{
		{Name: "Redis", Value: redisurl.Addr(p.cfg.RedisURL.Reveal())},
		{Name: "Layer", Value: fmt.Sprintf("%s, version %s", p.cfg.Layer.BaseURL, p.cfg.Layer.APIVersion)},
		{Name: "App", Value: p.cfg.Layer.AppID.String()},
		{Name: "Rate limit", Value: p.rateLimit()},
		{Name: "Archived after", Value: fmt.Sprintf("%d attempts, %s to %s apart", p.cfg.MaxAttempts, p.cfg.RetryMin, p.cfg.RetryMax)},
		{Name: "Running since", Value: p.started.UTC().Format(time.RFC3339)},
	}
	if p.cfg.Sandbox {
		facts = append(facts, admin.Fact{Name: "Sandbox", Value: "Redis and Layer are part of this process and forget everything when it stops."})
	}
	return facts
}

func (p *page) rateLimit() string {
	if p.cfg.RateLimit.Off() {
		return p.cfg.RateLimit.String()
	}
	return fmt.Sprintf("%s, of which queue %s keeps %s", p.cfg.RateLimit, queue.Critical, p.cfg.CriticalReserve)
}
