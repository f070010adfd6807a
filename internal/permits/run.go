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
	req, at := l.core.step(l.now())
	if req != nil {
		l.sending.Go(func() { l.send(req) })
	}
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.core.failed(l.now(), req)
	} else {
		l.core.replied(l.now(), req, reply)
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
		last := len(l.core.tell) == 0
		l.mu.Unlock()
		if _, err := l.store.exchange(ctx, req); err != nil || last {
			return
		}
	}
}

func (l *Limiter) logAlone(begins bool, after time.Duration) {
	if begins {
		l.log.Warn("redis does not answer: calls go on with this worker's share of the rate limit",
			slog.Duration("after", after))
		return
	}
	l.log.Info("redis answers again: calls go on with the rate limit of the fleet", slog.Duration("after", after))
}
