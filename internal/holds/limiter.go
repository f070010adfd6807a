package holds

import (
	"context"
	"errors"
	"time"

	"github.com/layerq/layerq/layer"
)

type passKey struct{}

// WithPass returns a context whose calls are made for the task that pass was given
// for. Without one, a call is never a probe.
func WithPass(ctx context.Context, pass *Pass) context.Context {
	return context.WithValue(ctx, passKey{}, pass)
}

func passOf(ctx context.Context) *Pass {
	p, _ := ctx.Value(passKey{}).(*Pass)
	return p
}

// Limiter lets HTTP attempts through to next, which may be nil, while the fleet is
// not held, and learns from their answers. Held, it fails at once with a
// [*HeldError], but for the probe; also in between the repetitions of one call, and also where next still
// makes an attempt wait.
func (k *Keeper) Limiter(next layer.Limiter) layer.Limiter { return limiter{k, next} }

type limiter struct {
	keeper *Keeper
	next   layer.Limiter
}

// attempt is one that is under way.
type attempt struct {
	began time.Time
	token string // the credentials that it is made with
	probe *probe // nil if it is none
	pass  *Pass
}

// Acquire implements [layer.Limiter].
func (l limiter) Acquire(ctx context.Context) (func(layer.Answer), error) {
	a, err := l.keeper.begin(ctx, passOf(ctx))
	if err != nil {
		return nil, err
	}
	release, err := l.permit(ctx, a)
	if err != nil {
		l.keeper.end(a, finding{})
		return nil, err
	}
	if err := l.keeper.still(ctx, a); err != nil {
		release(layer.Answer{Err: layer.ErrNoAttempt})
		l.keeper.end(a, finding{})
		return nil, err
	}
	return func(answer layer.Answer) {
		release(answer)
		l.keeper.end(a, l.keeper.opts.find(answer))
	}, nil
}

// permit waits for next, not longer than until a hold begins.
func (l limiter) permit(ctx context.Context, a *attempt) (func(layer.Answer), error) {
	if l.next == nil {
		return func(layer.Answer) {}, nil
	}
	k := l.keeper
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if a.probe == nil {
		k.mu.Lock()
		k.permits[a] = cancel
		if held := k.heldError(); held != nil {
			cancel(held)
		}
		k.mu.Unlock()
		defer func() {
			k.mu.Lock()
			delete(k.permits, a)
			k.mu.Unlock()
		}()
	}
	release, err := l.next.Acquire(waiting)
	if err != nil && ctx.Err() == nil {
		if held, ok := errors.AsType[*HeldError](context.Cause(waiting)); ok {
			return nil, held
		}
	}
	return release, err
}

// begin lets an attempt begin to wait for its permit.
func (k *Keeper) begin(ctx context.Context, pass *Pass) (*attempt, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if k.reason != "" {
			if pass == nil || pass.probe == nil || pass.probe != k.probe || pass.probe.under {
				return nil, k.heldError()
			}
			pass.probe.under, pass.probe.waits = true, true
			k.attempts++
			k.poke() // its lease is extended while it waits
			return &attempt{pass: pass, probe: pass.probe}, nil
		}
		pause := k.wait(time.Now())
		if pause == 0 {
			k.attempts++
			return &attempt{pass: pass}, nil
		}
		k.holdUp(ctx, pause)
	}
}

// holdUp waits until something changes, or for a time. The caller has mu, which is free meanwhile.
func (k *Keeper) holdUp(ctx context.Context, pause time.Duration) {
	changed := k.changed
	k.holdup++
	k.mu.Unlock()
	timer := time.NewTimer(pause)
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
	timer.Stop()
	k.mu.Lock()
	k.holdup--
}

// still asks whether the attempt may be made now that it has its permit.
func (k *Keeper) still(ctx context.Context, a *attempt) error {
	if a.probe != nil {
		if err := k.renew(ctx, a.probe, k.opts.AttemptTimeout+spare); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.reason == "":
		a.probe = nil // the hold is over, by whomever
	case a.probe == nil || a.probe != k.probe:
		return k.heldError()
	}
	a.began, a.token = time.Now(), k.opts.credentials()
	return nil
}

// end learns from an attempt that is over. The caller has released its permit.
func (k *Keeper) end(a *attempt, f finding) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.attempts--
	if a.probe != nil {
		k.probed(a, f, now)
	} else if f.kind != nothing && k.reason == "" {
		k.learn(a, f, now)
	} else if f.kind == holding && f.wait > 0 {
		k.hold(a, f, now) // Retry-After counts also when it comes late
	}
	if f.kind == alive {
		k.widen(now)
	}
	if k.anybody() || k.holdup > 0 {
		k.notify()
	}
}

// learn takes over what an answer says while the fleet is open. The caller has mu.
func (k *Keeper) learn(a *attempt, f finding, now time.Time) {
	switch f.kind {
	case alive:
		k.count(f, k.hands(), now)
		if k.asked {
			k.news = true
			k.poke()
		}
	case failing:
		k.count(f, k.hands(), now)
		k.poke()
	case holding:
		k.hold(a, f, now)
	case nothing:
	}
}

// hold holds this process at once, and tells the fleet. The caller has mu.
func (k *Keeper) hold(a *attempt, f finding, now time.Time) {
	if f.own() && a.token != k.opts.credentials() {
		return // the token has changed since
	}
	if k.reason == "" {
		k.amid = k.window == 0 || k.window > amid
	}
	k.count(f, k.hands(), now)
	if k.found == nil || f.wait > k.found.wait {
		k.found = &found{f, a.began, a.token}
	}
	if k.reason == "" {
		v := k.view
		v.reason, v.code = f.reason, f.code
		v.until = now.Add(max(f.wait, pauses[f.reason].least))
		v.otherProbe = time.Time{}
		k.sees(v, now)
	}
	k.poke()
}

// probed takes over what the probe came to. The caller has mu.
func (k *Keeper) probed(a *attempt, f finding, now time.Time) {
	switch {
	case f.kind == nothing:
		if a.pass.probe == a.probe {
			k.unprobed(a.pass)
		}
		return
	case k.probe != a.probe: // the lease is lost, or the hold is over by somebody else
		if k.reason == "" {
			k.learn(a, f, now)
		}
		return
	}
	r := result{ask: probeFail, pass: a.probe.name, found: f, began: a.began}
	a.pass.probe, k.probe = nil, nil
	v := k.view
	if f.kind == alive {
		r.ask, r.found = probeOK, finding{}
		k.count(f, k.hands(), now)
		v.reason, v.code, v.until = "", "", time.Time{}
	} else {
		v.until = now.Add(max(f.wait, pauses[f.reason].least)) // Redis says soon for how long
	}
	k.results = append(k.results, r)
	k.sees(v, now)
	k.poke()
}

// widen lets one task more be taken. The caller has mu.
func (k *Keeper) widen(now time.Time) {
	k.answered = now
	if k.window > 0 {
		if k.window++; k.window > wide {
			k.window = 0
		}
	}
}
