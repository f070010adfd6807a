package permits

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
)

var done = layer.Answer{Status: 201}

func newLimiter(t *testing.T, rdb redis.UniversalClient, options Options) *Limiter {
	t.Helper()
	l, err := New(rdb, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// acquire takes a permit that is to be had at once.
func acquire(t *testing.T, l *Limiter, ctx context.Context) func(layer.Answer) { //nolint:revive // t first, as everywhere
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	release, err := l.Acquire(ctx)
	if err != nil {
		t.Fatalf("no permit: %v", err)
	}
	return release
}

var eventually = redistest.Eventually

// arrivals judges calls of this process: no window may hold more than the limit.
type arrivals struct {
	mu sync.Mutex
	at []time.Time
}

func (a *arrivals) arrive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = append(a.at, time.Now())
}

func (a *arrivals) most(per time.Duration) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	most, last := 0, 0
	for first, at := range a.at {
		for last < len(a.at) && a.at[last].Sub(at) < per {
			last++
		}
		most = max(most, last-first)
	}
	return most
}

func TestFleetStaysBelowItsLimit(t *testing.T) {
	t.Parallel()
	const n, per, processes, tasks, calls = 40, 200 * time.Millisecond, 4, 20, 400
	rdb := redistest.New(t)
	var judge arrivals
	var made atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range processes {
		l := newLimiter(t, rdb, Options{Limit: Limit{n, per}})
		for range tasks {
			all.Go(func() {
				for made.Add(1) <= calls {
					release := acquire(t, l, t.Context())
					judge.arrive()
					release(done)
				}
			})
		}
	}
	all.Wait()
	if got := judge.most(per); got > n {
		t.Errorf("%d calls within %s, want at most %d", got, per, n)
	}
	// Tests run beside others: a quarter of the limit proves that nothing hangs.
	if took, want := time.Since(start), 4*(calls/n)*per; took > want {
		t.Errorf("%d calls took %s, want at most %s", calls, took, want)
	}
}

func TestWaitingCallGivesUpAtOnce(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{1, time.Hour}})
	acquire(t, l, t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := l.Acquire(ctx)
		failed <- err
	}()
	eventually(t, "waiting", func() bool { return l.Snapshot().Waiting[queue.Default] == 1 })
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that of the context", err)
	}
	if s := l.Snapshot(); s.Waiting[queue.Default] != 0 {
		t.Errorf("still waiting: %v", s.Waiting)
	}
	if _, err := l.Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: got %v, want its error", err)
	}
}

// A permit that nobody uses any more is free again at once, not after the window.
func TestUnusedPermitsAreGivenBack(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	l := newLimiter(t, rdb, Options{Limit: Limit{3, time.Hour}})
	slow := &slowStore{exchanger: l.store, hold: make(chan struct{})}
	l.mu.Lock()
	l.store = slow
	l.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range 3 {
		waiting.Go(func() { _, _ = l.Acquire(ctx) })
	}
	eventually(t, "permits taken", func() bool { return rdb.ZCard(t.Context(), keys[0]).Val() > 0 })
	cancel() // before the permits arrive
	waiting.Wait()
	close(slow.hold)
	for range 3 {
		acquire(t, l, t.Context())
	}
}

// slowStore holds replies back.
type slowStore struct {
	exchanger
	hold chan struct{}
}

func (s *slowStore) exchange(ctx context.Context, req *request) (reply, error) {
	r, err := s.exchanger.exchange(ctx, req)
	<-s.hold
	return r, err
}

func TestFirstComeFirstServedAndCriticalBeforeAll(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{1, 50 * time.Millisecond}})
	release := acquire(t, l, t.Context())
	order := make(chan string, 5)
	var all sync.WaitGroup
	for i, name := range []string{queue.Bulk, queue.Default, queue.Default, queue.Critical, queue.Critical} {
		all.Go(func() {
			release, err := l.Acquire(WithQueue(t.Context(), name))
			if err != nil {
				t.Error(err)
				return
			}
			order <- name
			release(done)
		})
		eventually(t, "waiting", func() bool {
			n := 0
			for _, waiting := range l.Snapshot().Waiting {
				n += waiting
			}
			return n == i+1
		})
	}
	release(done)
	all.Wait()
	close(order)
	want := []string{queue.Critical, queue.Critical, queue.Bulk, queue.Default, queue.Default}
	if got := slices.Collect(values(order)); !slices.Equal(got, want) {
		t.Errorf("served in order %v, want %v", got, want)
	}
}

func values[T any](c <-chan T) func(func(T) bool) {
	return func(yield func(T) bool) {
		for v := range c {
			if !yield(v) {
				return
			}
		}
	}
}

func TestReserveIsForCriticalOnly(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{10, time.Hour}, CriticalReserve: 20})
	for range 8 {
		acquire(t, l, t.Context())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := l.Acquire(ctx); err == nil {
		t.Error("a call of queue default got what is reserved")
	}
	for range 2 {
		acquire(t, l, WithQueue(t.Context(), queue.Critical))
	}
}

// A worker that dies takes its permits with it for as long as a call may last, not longer.
func TestPermitsOfDeadWorkersComeBack(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	options := Options{Limit: Limit{2, 100 * time.Millisecond}, AttemptTimeout: 100 * time.Millisecond}
	dead, err := New(rdb, options)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for range 2 {
		acquire(t, dead, t.Context())
	}
	dead.Close() // says nothing of permits in use
	living := newLimiter(t, rdb, options)
	acquire(t, living, t.Context())
	if took, least := time.Since(start), 200*time.Millisecond+slack; took < least || took > least+2*time.Second {
		t.Errorf("the permit of a dead worker came back after %s, want %s", took, least)
	}
}

func TestClosedLimiter(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	l := newLimiter(t, rdb, Options{Limit: Limit{1, time.Hour}})
	acquire(t, l, t.Context())
	failed := make(chan error)
	go func() {
		_, err := l.Acquire(t.Context())
		failed <- err
	}()
	eventually(t, "waiting", func() bool { return l.Snapshot().Waiting[queue.Default] == 1 })
	l.Close()
	l.Close()
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("who waited: got %v, want ErrClosed", err)
	}
	if _, err := l.Acquire(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("who comes later: got %v, want ErrClosed", err)
	}
	if n := rdb.ZCard(t.Context(), keys[3]).Val(); n != 0 {
		t.Errorf("%d workers are known after the last one left", n)
	}
}

// A release is told before the limiter ends, so that a deploy wastes nothing.
func TestCloseTellsWhatWasReleased(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	l := newLimiter(t, rdb, Options{Limit: Limit{1, 300 * time.Millisecond}})
	acquire(t, l, t.Context())(done)
	l.Close()
	next := newLimiter(t, rdb, Options{Limit: Limit{1, 300 * time.Millisecond}})
	start := time.Now()
	acquire(t, next, t.Context())
	if took := time.Since(start); took > 3*time.Second { // 11 s if it were not told
		t.Errorf("the next permit took %s", took)
	}
}

func TestReleaseCountsOnce(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{2, time.Hour}})
	release := acquire(t, l, t.Context())
	release(done)
	release(done)
	acquire(t, l, t.Context())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := l.Acquire(ctx); err == nil {
		t.Error("a third permit of two")
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	l, other := newLimiter(t, rdb, Options{Limit: Limit{2, time.Hour}}), newLimiter(t, rdb, Options{Limit: Limit{2, time.Hour}})
	acquire(t, l, t.Context())
	acquire(t, other, t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	waiting.Go(func() { _, _ = l.Acquire(WithQueue(ctx, queue.Bulk)) })
	waiting.Go(func() { _, _ = other.Acquire(WithQueue(ctx, queue.Critical)) })
	eventually(t, "the whole fleet is seen", func() bool {
		s := l.Snapshot()
		return s.Source == Fleet && s.Limit == Limit{2, time.Hour} && s.Taken == 2 && s.Workers == 2 && !s.Auto &&
			s.Waiting[queue.Bulk] == 1 && s.Waiting[queue.Critical] == 0 && s.FleetWaiting == 2 && s.CriticalWaiting == 1 && s.Age < 2*time.Second
	})
	cancel()
	waiting.Wait()
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]Options{
		"no limit":            {},
		"both":                {Limit: Limit{1, time.Second}, Auto: true},
		"too many calls":      {Limit: Limit{1_000_001, time.Second}},
		"window too short":    {Limit: Limit{1, time.Millisecond}},
		"window too long":     {Limit: Limit{1, 25 * time.Hour}},
		"reserve of all":      {Limit: Limit{1, time.Second}, CriticalReserve: 100},
		"negative timeout":    {Limit: Limit{1, time.Second}, AttemptTimeout: -1},
		"reserve below zero":  {Auto: true, CriticalReserve: -1},
		"negative number":     {Limit: Limit{-1, time.Second}},
		"window without call": {Limit: Limit{0, time.Second}},
	} {
		if l, err := New(nil, options); err == nil {
			l.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// However many wait: one goroutine of the limiter's, beside their own.
func TestWaitingCostsNoGoroutines(t *testing.T) { //nolint:paralleltest // it counts the goroutines of the process
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{1, time.Hour}})
	acquire(t, l, t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	before := runtime.NumGoroutine()
	var waiting sync.WaitGroup
	for range 200 {
		waiting.Go(func() { _, _ = l.Acquire(ctx) })
	}
	eventually(t, "200 wait", func() bool { return l.Snapshot().Waiting[queue.Default] == 200 })
	if got := runtime.NumGoroutine() - before - 200; got > 2 {
		t.Errorf("%d goroutines beside those that wait", got)
	}
	cancel()
	waiting.Wait()
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{2, time.Hour}})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(l)
	acquire(t, l, t.Context())(layer.Answer{Status: 429})
	acquire(t, l, WithQueue(t.Context(), queue.Critical))(done)
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	waiting.Go(func() { _, _ = l.Acquire(WithQueue(ctx, queue.Bulk)) })
	eventually(t, "all is seen", func() bool { s := l.Snapshot(); return s.Taken == 2 && s.Waiting[queue.Bulk] == 1 })
	want := map[string]float64{
		"layerq_permits_limit": 2, "layerq_permits_window_seconds": 3600, "layerq_permits_in_use": 2,
		"layerq_permits_workers": 1, "layerq_permits_alone": 0, "layerq_permits_refused_total": 1,
		"layerq_permits_waiting bulk": 1, "layerq_permits_waiting critical": 0, "layerq_permits_waiting default": 0,
		"layerq_permits_wait_seconds critical": 1, "layerq_permits_wait_seconds default": 1,
	}
	got := samples(t, registry)
	if got["layerq_permits_exchanges_total answered"] < 2 {
		t.Errorf("Redis answered %v times, want two at least", got["layerq_permits_exchanges_total answered"])
	}
	delete(got, "layerq_permits_exchanges_total answered")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	cancel()
	waiting.Wait()
}

// samples are values by name and label, of a histogram how many there are.
func samples(t *testing.T, from prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := []string{family.GetName()}
			for _, label := range m.GetLabel() {
				name = append(name, label.GetValue())
			}
			found[strings.Join(name, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return found
}
