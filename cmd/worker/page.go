package main

import (
	"context"
	"fmt"
	"time"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/admin"
	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/internal/redisurl"
	"github.com/layerq/layerq/internal/wording"
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
		if q.Held != nil && q.Held.Reason != "" {
			out.Hold = holdOf(q.Held)
			line.Held = "held"
		} else if q.Held != nil {
			line.Held = fmt.Sprintf("paused until %s", q.Held.Until.UTC().Format(time.TimeOnly))
		}
		out.Queues = append(out.Queues, line)
	}
	switch lane, err := p.pool.LongestLane(ctx); {
	case lane != nil:
		out.Lane = &admin.Lane{Queue: lane.Queue, Name: lane.Name, Waiting: lane.Waiting, First: lane.Head, State: lane.State}
	case err != nil && out.QueuesError == "": // which says the same
		out.LaneError = "The longest lane cannot be told: Redis " + redischeck.Explain(err)
	}
	return out
}

// advice is what a hold means to who looks at it, by reason.
var advice = map[holds.Reason]string{
	holds.Outage:      "Layer does not answer. The fleet asks by itself, and goes on when it does.",
	holds.RetryAfter:  "Layer asked for this pause. The fleet goes on by itself.",
	holds.RateLimit:   "Layer refuses more calls. The fleet goes on by itself.",
	holds.Credentials: "Layer refuses the token or the app: write a new token into the file of LAYER_TOKEN_FILE, or restart with another LAYER_TOKEN.",
	holds.Suspended:   "Have the app switched on at Layer. The fleet finds out by itself.",
	holds.Redirect:    "LAYER_BASE_URL is not where the API is: set it right and restart.",
}

func holdOf(h *queue.Hold) *admin.Hold {
	return &admin.Hold{Reason: h.Reason, Until: h.Until, Advice: advice[holds.Reason(h.Code)]}
}

func (p *page) facts() []admin.Fact {
	facts := []admin.Fact{
		{Name: "Redis", Value: redisurl.Addr(p.cfg.RedisURL.Reveal())},
		{Name: "Layer", Value: fmt.Sprintf("%s, version %s", p.cfg.Layer.BaseURL, p.cfg.Layer.APIVersion)},
		{Name: "App", Value: p.cfg.Layer.AppID.String()},
		{Name: "Rate limit", Value: p.rateLimit()},
		{Name: "Archived after", Value: fmt.Sprintf("%d attempts, %s to %s apart", p.cfg.MaxAttempts, wording.Duration(p.cfg.RetryMin), wording.Duration(p.cfg.RetryMax))},
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
