package holds

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// never is later than everything that happens.
const never = time.Hour

// listenCheck is how often a silent subscription is checked to be alive. It is a command each time.
const listenCheck = time.Minute

// listen learns of changes that others made, until ctx ends. go-redis connects again by itself; what was missed
// meanwhile is asked for.
func (k *Keeper) listen(ctx context.Context, me string) {
	sub := k.rdb.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	news := sub.ChannelWithSubscriptions(redis.WithChannelHealthCheckInterval(listenCheck))
	for {
		select {
		case event, ok := <-news:
			if !ok {
				return
			}
			if message, ok := event.(*redis.Message); ok && (message.Payload == me || message.Payload == "") {
				continue // our own, or somebody tries whether it may publish
			}
			k.mu.Lock()
			k.news = true
			k.mu.Unlock()
			k.poke()
		case <-ctx.Done():
			return
		}
	}
}

// run tells Redis what is to be told, and asks for the probe, until ctx ends.
func (k *Keeper) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		pause := k.step(ctx)
		timer.Reset(pause)
		select {
		case <-k.wake:
		case <-timer.C:
		case <-k.done:
			k.leave(ctx)
			return
		}
	}
}

// step does all that is to be done now, and returns when to look again at the latest.
func (k *Keeper) step(ctx context.Context) time.Duration {
	for {
		k.mu.Lock()
		now := time.Now()
		if wait := k.askAt.Sub(now); wait > 0 || ctx.Err() != nil {
			k.mu.Unlock()
			return max(wait, time.Millisecond)
		}
		req := k.compose(now)
		if req == nil {
			pause := k.alarm(now)
			k.mu.Unlock()
			return pause
		}
		k.mu.Unlock()
		_ = k.exchange(ctx, req) // unsaid has dealt with its error: what was not heard is kept, and said after a while
	}
}

// leave gives back a probe that was not made.
func (k *Keeper) leave(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	k.mu.Lock()
	if k.probe != nil {
		k.dropProbe()
	}
	results := k.results
	k.results = nil
	k.mu.Unlock()
	for _, r := range results {
		if k.exchange(ctx, k.report(r)) != nil {
			return // the lease ends by itself
		}
	}
}

// compose returns what to ask now, or nil. The caller has mu.
func (k *Keeper) compose(now time.Time) *request {
	k.expire(now)
	if k.probe != nil && k.probe.pass == nil && !k.anybody() {
		k.dropProbe()
	}
	switch {
	case len(k.results) > 0:
		r := k.results[0]
		k.results = k.results[1:]
		return k.report(r)
	case k.news, k.found != nil, len(k.failures) > 0, k.confirms(now), k.reason != "" && !now.Before(k.pollAt):
		return k.tell()
	case k.reason == "":
		return nil
	case k.probe != nil:
		if k.probe.waits && k.probe.until.Sub(now) <= probeLease/2 {
			return k.request(getProbe, k.probe.name)
		}
		return nil
	case k.anybody() && !now.Before(k.probeAt()):
		k.number++
		return k.request(getProbe, passName(k.me, k.number))
	}
	return nil
}

// expire forgets a probe whose lease is over: it is somebody else's by now. The caller has mu.
func (k *Keeper) expire(now time.Time) {
	if k.probe != nil && !now.Before(k.probe.until) {
		k.probe = nil
	}
}

// probeAt is when the probe may be had. The caller has mu.
func (k *Keeper) probeAt() time.Time {
	if k.otherProbe.After(k.until) {
		return k.otherProbe
	}
	return k.until
}

// confirms tells that the fleet had its time to speak up. The caller has mu.
func (k *Keeper) confirms(now time.Time) bool {
	return !k.doubtful.IsZero() && !now.Before(k.doubtful) && !k.confirming
}

// alarm is when something is to be done although nothing happens. The caller has mu.
func (k *Keeper) alarm(now time.Time) time.Duration {
	at := now.Add(never)
	sooner := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if !k.doubtful.IsZero() && !k.confirming {
		sooner(k.doubtful)
	}
	if k.reason != "" {
		sooner(k.pollAt)
		if k.probe == nil && k.anybody() {
			sooner(k.probeAt())
		}
	}
	if k.probe != nil {
		sooner(k.probe.until)
		if k.probe.waits {
			sooner(k.probe.until.Add(-probeLease / 2))
		}
	}
	return max(at.Sub(now), time.Millisecond)
}

// request makes one that tells what there is to tell. The caller has mu.
func (k *Keeper) request(what ask, pass string) *request {
	req := &request{
		ask: what, pass: pass, credentials: k.opts.credentials(), lease: probeLease,
		failures: k.failures, lastCode: k.lastCode, enough: k.enough(),
	}
	if k.answered.After(k.told) {
		req.answered, k.told = k.answered, k.answered
	}
	k.failures = nil
	return req
}

// tell makes a request of the news. The caller has mu.
func (k *Keeper) tell() *request {
	req := k.request(tell, "")
	k.news = false
	if k.confirms(time.Now()) {
		k.confirming = true
	}
	if f := k.found; f != nil {
		k.found = nil
		if !f.own() || f.token == req.credentials {
			req.found, req.began, req.amid = f.finding, f.began, k.amid
		}
	}
	return req
}

// report makes a request of what a probe came to. The caller has mu.
func (k *Keeper) report(r result) *request {
	req := k.request(r.ask, r.pass)
	req.found, req.began = r.found, r.began
	return req
}

// renew asks for more time for a probe whose attempt is about to be made.
func (k *Keeper) renew(ctx context.Context, p *probe, lease time.Duration) error {
	k.mu.Lock()
	if p != k.probe || k.reason == "" {
		k.mu.Unlock()
		return nil // still sees it
	}
	p.waits = false
	req := k.request(getProbe, p.name)
	k.mu.Unlock()
	req.lease = lease
	if err := k.exchange(ctx, req); err != nil && ctx.Err() == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		if held := k.heldError(); held != nil {
			return held
		}
		return err
	}
	return ctx.Err()
}

// exchange makes one request, and takes over what comes back.
func (k *Keeper) exchange(ctx context.Context, req *request) error {
	k.asking.Lock()
	defer k.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	if len(req.failures) > 0 && req.enough < threshold && !k.othersWait(ctx) {
		req.enough = threshold // a task that is alone may be the reason itself, and there is nobody to spare
	}
	sent := time.Now()
	r, err := k.store.run(ctx, req)
	k.mu.Lock()
	if err != nil {
		k.unsaid(req, err)
		k.mu.Unlock()
		return err
	}
	k.said(req, r, sent)
	hold := queue.Hold{Reason: describe(k.reason, k.code), Until: k.until, Code: string(k.reason)}
	k.mu.Unlock()
	switch {
	case r.mark > 0:
		k.shown(k.marks.Hold(ctx, queue.Names, hold, r.mark, r.nth))
	case r.mark < 0:
		err = k.marks.Release(ctx, queue.Names, r.nth)
		k.shown(err)
		if err != nil {
			k.again() // a mark that is left stops the fleet until it ends by itself
		}
	}
	return nil
}

// othersWait tells whether tasks wait for those in hand: in line, or in their lanes.
func (k *Keeper) othersWait(ctx context.Context) bool {
	infos, err := k.marks.Queues(ctx)
	if err != nil {
		k.log.Debug("redis does not say whether tasks wait", "error", err)
		return false
	}
	return slices.ContainsFunc(infos, func(q queue.Info) bool { return q.Pending+q.Waiting > 0 })
}

// shown logs, once, that the queues could not be marked. It only shows there, and keeps away who has heard nothing.
func (k *Keeper) shown(err error) {
	k.mu.Lock()
	first := err != nil && !k.unshown
	k.unshown = err != nil
	k.mu.Unlock()
	if first {
		k.log.Warn("the queues do not show whether they are held", "error", err)
	}
}

// again asks after a while what is to be done.
func (k *Keeper) again() {
	k.mu.Lock()
	k.news, k.askAt = true, time.Now().Add(retry)
	k.mu.Unlock()
	k.poke()
}

// unsaid keeps what Redis did not hear. The caller has mu.
func (k *Keeper) unsaid(req *request, err error) {
	now := time.Now()
	k.askAt = now.Add(retry)
	switch {
	case k.closed, errors.Is(err, context.Canceled): // nobody waits for the answer any more
	case k.reason != "" && !k.stuck:
		k.stuck = true
		k.log.Warn("redis does not answer: layer is not asked again until it does", "error", err)
	case k.failed:
	case !k.known:
		k.log.Warn("redis does not say whether layer is to be left alone: no tasks are taken until it does", "error", err)
	default:
		k.log.Debug("redis does not answer, holds are not shared", "error", err)
	}
	k.failed, k.confirming, k.doubtful = true, false, time.Time{}
	if !k.answered.After(now) && k.row > 0 {
		k.failures = append(req.failures, k.failures...)
		k.failures = k.failures[max(0, len(k.failures)-threshold):]
	}
	if !req.answered.IsZero() && k.told.Equal(req.answered) {
		k.told = time.Time{}
	}
	switch req.ask {
	case tell:
		k.news = true
		if req.found.kind != nothing && k.found == nil {
			k.found = &found{req.found, req.began, req.credentials}
		}
	case probeOK, probeFail, probeBack:
		k.results = append([]result{{req.ask, req.pass, req.found, req.began}}, k.results...)
	case getProbe:
	}
}

// said takes over what Redis said. The caller has mu.
func (k *Keeper) said(req *request, r reply, sent time.Time) {
	now := time.Now()
	k.failed, k.stuck = false, false
	if r.began != "" {
		k.counts[r.began]++
	}
	if req.ask == getProbe {
		k.granted(req, r, sent)
	}
	if len(k.failures) == 0 {
		k.unjudged = time.Time{}
	}
	k.asked, k.confirming, k.doubtful = r.confirm > 0, false, time.Time{}
	if r.confirm > 0 {
		k.doubtful = now.Add(r.confirm)
	}
	if r.reason == "" {
		k.probe = nil
	}
	k.pollAt = now.Add(k.opts.poll)
	if req.credentials != k.opts.credentials() {
		k.news = true
	}
	v := view{known: true, reason: r.reason, code: r.code, until: now.Add(r.left), otherProbe: now.Add(r.probing)}
	if k.found != nil || len(k.results) > 0 {
		// This process knows something that Redis does not know yet, and tells it now.
		v = k.view
		v.known = true
	}
	k.sees(v, now)
}

// granted takes over whether this process has the probe. The caller has mu.
func (k *Keeper) granted(req *request, r reply, sent time.Time) {
	until := sent.Add(req.lease)
	switch {
	case k.probe != nil && k.probe.name == req.pass:
		if r.probes {
			k.probe.until = until
		} else {
			k.probe = nil
		}
	case r.probes && k.probe == nil:
		k.probe = &probe{name: req.pass, until: until, turn: r.failed}
	}
}
