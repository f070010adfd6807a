package permits

import (
	"context"
	"log/slog"
	"time"
)

// step takes a step of the core, and sends what it wants to be sent. It is
// called with mu held, after every change.
func (l *Limiter) step() {
	if l.closed {
		return
	}
	now := l.now()
	req, at := l.core.step(now)
	if req != nil {
		l.sending.Go(func() { l.send(req) })
	}
	at = min(at, l.admit(now))
	if at >= l.alarm {
		return
	}
	select {
	case l.earlier <- struct{}{}:
	default:
	}
}

// run takes a step whenever it is time for one, until the limiter is closed.
func (l *Limiter) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		l.mu.Lock()
		now := l.now()
		l.alarm = never
		req, at := l.core.step(now)
		at = min(at, l.admit(now))
		l.alarm = at
		if req != nil && !l.closed {
			l.sending.Go(func() { l.send(req) })
		}
		l.mu.Unlock()
		timer.Reset(at - now)
		select {
		case <-l.earlier:
		case <-timer.C:
		case <-l.done:
			l.sending.Wait()
			l.leave()
			return
		}
	}
}

// send makes one request and takes its answer to the core.
func (l *Limiter) send(req *request) {
	ctx, cancel := context.WithTimeout(context.Background(), answer)
	defer cancel()
	reply, err := l.store.exchange(ctx, req)
	l.count.exchanged(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.problem = err
		l.core.failed(l.now(), req)
	} else {
		l.core.replied(l.now(), req, reply)
		l.logFound()
	}
	l.step()
}

// leave tells Redis what is left to tell, and that this worker is gone.
func (l *Limiter) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for {
		l.mu.Lock()
		req := l.core.leave(l.now())
		last := l.core.tell.len() == 0
		l.mu.Unlock()
		if _, err := l.store.exchange(ctx, req); err != nil || last {
			return
		}
	}
}

func (l *Limiter) logAlone(begins bool, after time.Duration) {
	if begins {
		l.log.Warn("redis does not answer: calls go on with this worker's share of the rate limit",
			slog.Duration("after", after), slog.Any("error", l.problem))
		return
	}
	l.log.Info("redis answers again: calls go on with the rate limit of the fleet", slog.Duration("after", after))
}

// found is a limit that was found out, as the log was last told.
type found struct {
	limit int
	at    time.Duration
}

const (
	tellFound = 10 * time.Second // at most so often
	tellMoved = 1.2              // by how much it moved
)

// logFound tells of a limit that is found out: a line when it has moved, not for each step.
func (l *Limiter) logFound() {
	limit, now := l.core.last.limit, l.now()
	if !l.auto || limit == l.found.limit {
		return
	}
	ratio := float64(limit) / float64(max(1, l.found.limit))
	if l.found.limit != 0 && (now-l.found.at < tellFound || ratio < tellMoved && ratio > 1/tellMoved) {
		return
	}
	l.found = found{limit, now}
	l.log.Info("the rate limit is found out", slog.String("limit", Limit{limit, l.per}.String()))
}
