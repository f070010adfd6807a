package holds

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// slowMarks are those of a worker whose first write stops on its way until it is let through, and whose
// answer does not come until the end.
type slowMarks struct {
	marker
	sent, pass, written, end chan struct{}
}

func (m slowMarks) Hold(ctx context.Context, queues []string, h queue.Hold, lasts time.Duration, nth int64) error {
	close(m.sent)
	select {
	case <-m.pass:
	case <-m.end:
	}
	err := m.marker.Hold(context.WithoutCancel(ctx), queues, h, lasts, nth)
	close(m.written)
	<-m.end
	return err
}

// failingMarks are those of a worker that loses its connection as often as it says when it takes a mark away.
type failingMarks struct {
	marker
	times int
}

func (m *failingMarks) Release(ctx context.Context, queues []string, nth int64) error {
	if m.times--; m.times >= 0 {
		return errors.New("the connection is cut")
	}
	return m.marker.Release(ctx, queues, nth)
}

func setMarks(k *Keeper, m marker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.marks = m
}

func anyHeld(t *testing.T, rdb redis.UniversalClient) bool {
	t.Helper()
	infos, err := queue.NewStore(rdb).Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return infos[0].Held != nil || infos[1].Held != nil || infos[2].Held != nil
}

// A worker that is slow to mark the queues must not stop a fleet that is open again.
func TestMarkThatComesAfterTheHold(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	a, b := newKeeper(t, rdb), newKeeper(t, rdb)
	slow := slowMarks{a.marks, make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})}
	defer close(slow.end)
	setMarks(a, slow)
	_, end := enter(t, a)
	end(finding{kind: holding, reason: RetryAfter, code: "429", wait: 100 * time.Millisecond})
	<-slow.sent
	eventually(t, "the other one hears of it", func() bool { return b.Snapshot().Reason == RetryAfter })
	pass, end := enter(t, b)
	if !pass.Probe() {
		t.Error("no probe")
	}
	end(finding{kind: alive})
	eventually(t, "the other one has opened the queues", func() bool {
		return rdb.Exists(t.Context(), "layerq:{critical}:mark", "layerq:{default}:mark", "layerq:{bulk}:mark").Val() == 3
	})
	close(slow.pass)
	<-slow.written
	if anyHeld(t, rdb) {
		t.Error("a queue is stopped, though no hold is left")
	}
}

// Nor must one whose write is lost, or who dies before it.
func TestMarkThatIsNotTakenAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		times  int
		others int
	}{
		{"it tries again", 2, 0},
		{"others do it", 1_000_000, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Own(t) // others listen to the same channel
			a := newKeeper(t, rdb)
			setMarks(a, &failingMarks{a.marks, c.times})
			for range c.others {
				newKeeper(t, rdb)
			}
			eventually(t, "all listen", func() bool {
				return rdb.PubSubNumSub(t.Context(), channel).Val()[channel] >= int64(1+c.others)
			})
			_, end := enter(t, a)
			end(finding{kind: holding, reason: RetryAfter, code: "429", wait: 100 * time.Millisecond})
			eventually(t, "the queues are held", func() bool { return anyHeld(t, rdb) })
			_, end = enter(t, a)
			end(finding{kind: alive})
			eventually(t, "the queues are open", func() bool { return !anyHeld(t, rdb) })
		})
	}
}

// The numbers of marks rise, whatever Redis' clock does and whatever Redis forgets.
func TestNumbersOfMarksRise(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	s := newStore(rdb, "me")
	last := int64(0)
	ask := func(req request) reply {
		t.Helper()
		r, err := s.run(t.Context(), &req)
		if err != nil {
			t.Fatal(err)
		}
		if r.mark == 0 || r.nth <= last {
			t.Errorf("mark %s has number %d, the one before it %d", r.mark, r.nth, last)
		}
		last = r.nth
		return r
	}
	limited := request{ask: tell, credentials: "c", found: finding{kind: holding, reason: RetryAfter, wait: time.Millisecond}}
	for range 3 {
		ask(limited)
		eventually(t, "it may be probed", func() bool {
			r, err := s.run(t.Context(), &request{ask: getProbe, pass: "p", credentials: "c", lease: time.Minute})
			return err == nil && r.probes
		})
		ask(request{ask: probeOK, pass: "p", credentials: "c"})
	}
	// A clock that went back.
	last += int64(time.Hour / time.Microsecond)
	rdb.HSet(t.Context(), fleetKey, "nth", last)
	ask(limited)
	// A Redis that was emptied begins with its time again.
	rdb.FlushDB(t.Context())
	last = time.Now().Add(-time.Hour).UnixMicro()
	if r := ask(limited); r.nth > time.Now().Add(time.Hour).UnixMicro() {
		t.Errorf("number %d", r.nth)
	}
}
