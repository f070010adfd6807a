package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/internal/redisurl"
)

const (
	// redisTimeout is how long the start waits for what Redis has to say.
	redisTimeout = 2 * time.Second
	// redisInterval is how often a Redis that was not ready at the start is looked at again.
	redisInterval = 2 * time.Second
)

// redisLook is what is known of Redis beside that it answers: whether it keeps
// tasks. See [redischeck.Check].
type redisLook struct {
	rdb  redis.UniversalClient
	addr string
	log  *slog.Logger

	mu    sync.Mutex
	risks []string
}

// lookAtRedis checks Redis before the first task is taken. What only another
// configuration puts right is an error; what passes is looked at again until it
// has passed or stop is called, and the worker starts meanwhile: it may be up
// before its Redis.
func lookAtRedis(ctx context.Context, cfg *config.Worker, rdb redis.UniversalClient, log *slog.Logger) (look *redisLook, stop func(), err error) {
	look = &redisLook{rdb: rdb, addr: redisurl.Addr(cfg.RedisURL.Reveal()), log: log}
	if cfg.Sandbox { // keeps nothing, and says so
		return look, func() {}, nil
	}
	found := look.once(ctx)
	if fatal := found.Of(redischeck.Fatal); len(fatal) > 0 {
		for i := range fatal {
			fatal[i] = fmt.Sprintf("REDIS_URL (--redis-url): Redis at %s %s", look.addr, fatal[i])
		}
		return nil, nil, console.Usage(errors.New(strings.Join(fatal, "\n")))
	}
	passing := found.Of(redischeck.Passing)
	if len(passing) == 0 {
		return look, func() {}, nil
	}
	log.Warn("redis is not ready, the worker waits for it", "addr", look.addr, "problem", strings.Join(passing, "; "))
	var again sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	again.Go(func() { look.untilReady(ctx) })
	return look, func() { cancel(); again.Wait() }, nil
}

// once looks, and logs what it finds risky unless it has done so the last time.
func (l *redisLook) once(ctx context.Context) redischeck.Findings {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	found := redischeck.Check(ctx, l.rdb)
	risks := found.Of(redischeck.Risk)
	l.mu.Lock()
	before := l.risks
	l.risks = risks
	l.mu.Unlock()
	for _, risk := range risks {
		if !slices.Contains(before, risk) {
			l.log.Warn("tasks are not safe in this redis", "addr", l.addr, "problem", "it "+risk)
		}
	}
	return found
}

func (l *redisLook) untilReady(ctx context.Context) {
	ticker := time.NewTicker(redisInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		found := l.once(ctx)
		if fatal := found.Of(redischeck.Fatal); len(fatal) > 0 {
			l.log.Error("redis cannot be used", "addr", l.addr, "problem", strings.Join(fatal, "; "))
			return
		}
		if len(found.Of(redischeck.Passing)) == 0 {
			l.log.Info("redis is ready", "addr", l.addr)
			return
		}
	}
}

// warnings are what an operator should see of it.
func (l *redisLook) warnings() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	sentences := make([]string, len(l.risks))
	for i, risk := range l.risks {
		sentences[i] = fmt.Sprintf("Redis at %s %s.", l.addr, risk)
	}
	return sentences
}
