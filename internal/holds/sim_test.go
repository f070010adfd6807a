package holds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

// world is a fleet in a bubble of time: an embedded Redis over pipes, an API, and
// workers that run the keepers that real ones run.
type world struct {
	*testing.T
	redis  *miniredis.Miniredis
	clock  sync.WaitGroup
	ended  chan struct{}
	all    sync.WaitGroup // workers
	ctx    context.Context
	stop   context.CancelFunc
	start  time.Time
	random *rand.Rand // the same in each run; only the test itself draws

	mu    sync.Mutex
	calls []call
	api   func(call) layer.Answer // called with mu held
	takes time.Duration           // how long the API takes
	work  int                     // tasks that wait; negative without end
	done  int                     // tasks that succeeded
	back  int                     // executions that were held
	spent map[int]int             // attempts that failed, by task
	loose []int                   // tasks that wait to be tried again
	next  int
}

// call is one HTTP attempt.
type call struct {
	at     time.Duration
	worker *simWorker
	token  string
}

// simulate runs f in a bubble.
func simulate(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			T: t, redis: miniredis.NewMiniRedis(), ended: make(chan struct{}), start: time.Now(),
			random: rand.New(rand.NewPCG(1, 7)),
			takes:  10 * time.Millisecond, spent: make(map[int]int), api: func(call) layer.Answer { return sent },
		}
		w.ctx, w.stop = context.WithCancel(t.Context())
		w.clock.Go(func() { // expiries of miniredis do not run by themselves
			ticker := time.NewTicker(20 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					w.redis.FastForward(20 * time.Millisecond)
				case <-w.ended:
					return
				}
			}
		})
		defer w.end() // also where f ends with Fatal: what is left running in a bubble ends the whole test binary
		f(w)
	})
}

// end ends all that runs in the bubble.
func (w *world) end() {
	w.stop()
	w.all.Wait()
	close(w.ended)
	w.clock.Wait()
	w.redis.Close()
}

func (w *world) now() time.Duration { return time.Since(w.start) }

// sleep lets time pass in the bubble.
func (w *world) sleep(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// during counts the calls of a span of time.
func (w *world) during(from, to time.Duration) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, c := range w.calls {
		if c.at >= from && c.at < to {
			n++
		}
	}
	return n
}

// made are the calls so far.
func (w *world) made() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// finished counts the tasks that succeeded.
func (w *world) finished() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

// losses are the attempts that failed, by task.
func (w *world) losses() map[int]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.spent)
}

// answers sets what the API answers from now on.
func (w *world) answers(api func(call) layer.Answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.api = api
}

func always(a layer.Answer) func(call) layer.Answer { return func(call) layer.Answer { return a } }

var (
	sent        = layer.Answer{Status: 201}
	unavailable = layer.Answer{Status: 503, Code: layer.CodeServiceUnavailable}
	refused     = layer.Answer{Err: &layer.TransportError{Kind: layer.KindConnect}}
	limited     = layer.Answer{Status: 429, Code: layer.CodeRateLimitExceeded}
	unknown     = layer.Answer{Status: 401, Code: layer.CodeAuthenticationRequired}
)

func limitedFor(d time.Duration) layer.Answer {
	a := limited
	a.RetryAfter = d
	return a
}

// simWorker is one process.
type simWorker struct {
	*world
	*Keeper
	name  string
	rdb   *redis.Client
	limit layer.Limiter
	log   *logBook
	kill  context.CancelFunc // ends its tasks; what they hold stays held
	dead  context.Context
	tasks sync.WaitGroup

	mu    sync.Mutex
	token string
	dies  func(probe bool) bool // asked before each call
}

func (w *world) client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			conn, err := w.redis.Dial()
			return newBuffered(conn), err
		},
		ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// buffered is a pipe that takes what is written at once, as a socket does: a pipeline
// is written to its end before its first answer is read.
type buffered struct {
	net.Conn
	out  chan []byte
	done chan struct{}
	once sync.Once
}

func newBuffered(conn net.Conn) net.Conn {
	b := &buffered{Conn: conn, out: make(chan []byte, 1000), done: make(chan struct{})}
	go func() {
		for {
			select {
			case p := <-b.out:
				if _, err := b.Conn.Write(p); err != nil {
					return
				}
			case <-b.done:
				return
			}
		}
	}()
	return b
}

func (b *buffered) Write(p []byte) (int, error) {
	b.out <- bytes.Clone(p)
	return len(p), nil
}

func (b *buffered) SetWriteDeadline(time.Time) error { return nil }

func (b *buffered) SetDeadline(t time.Time) error { return b.SetReadDeadline(t) }

func (b *buffered) Close() error {
	b.once.Do(func() { close(b.done) })
	return b.Conn.Close()
}

// worker starts a process that runs so many tasks at once.
func (w *world) worker(name string, slots int, options Options) *simWorker {
	s := &simWorker{world: w, name: name, rdb: w.client(), log: &logBook{}, token: "old"}
	options.Token = func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.token
	}
	options.Log = slog.New(slog.NewTextHandler(s.log, nil))
	s.dead, s.kill = context.WithCancel(w.ctx)
	me := uuid.NewString()
	own := rand.New(rand.NewPCG(w.random.Uint64(), 1))
	s.Keeper = start(s.rdb, &mortal{store{s.rdb, me, own.Float64}, s}, me, options.withDefaults())
	s.limit = s.Limiter(nil)
	for range slots {
		s.tasks.Go(s.slot)
	}
	if slots == 0 { // the test itself takes tasks
		s.tasks.Go(func() { <-s.dead.Done() })
	}
	w.all.Go(func() {
		s.tasks.Wait()
		s.Close()
		if err := s.rdb.Close(); err != nil {
			w.Error(err)
		}
	})
	return s
}

// mortal says nothing any more when its worker is killed.
type mortal struct {
	store
	of *simWorker
}

func (m *mortal) run(ctx context.Context, req *request) (reply, error) {
	if m.of.dead.Err() != nil {
		return reply{}, errors.New("dead")
	}
	return m.store.run(ctx, req)
}

func (s *simWorker) setToken(token string) {
	s.mu.Lock()
	s.token = token
	s.mu.Unlock()
	s.TokenChanged()
}

// diesIf lets the process die before a call.
func (s *simWorker) diesIf(f func(probe bool) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dies = f
}

func (s *simWorker) isToDie(probe bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dies != nil && s.dies(probe)
}

// slot is one of the tasks that a process runs at once.
func (s *simWorker) slot() {
	for s.dead.Err() == nil {
		pass, err := s.Enter(s.dead, queue.Default)
		if err != nil {
			return
		}
		task, ok := s.take()
		if !ok {
			pass.Release()
			select {
			case <-time.After(time.Second):
			case <-s.dead.Done():
			}
			continue
		}
		err = s.execute(WithPass(s.dead, pass))
		s.settle(task, pass, err)
		pass.Release()
	}
}

func (w *world) take() (int, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.work == 0 {
		return 0, false
	}
	w.work--
	if n := len(w.loose); n > 0 {
		task := w.loose[0]
		w.loose = w.loose[1:]
		return task, true
	}
	w.next++
	return w.next, true
}

// settle is what a worker makes of an execution: the task is done, or waits for another one.
func (s *simWorker) settle(task int, pass *Pass, err error) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.done++
		return
	}
	w.work++
	if held, ok := errors.AsType[*HeldError](err); ok {
		if held.Reason == "" || held.Error() == "" {
			w.Errorf("a hold without a reason: %v", held)
		}
		w.back++
		w.loose = append([]int{task}, w.loose...)
		return
	}
	if !pass.Probe() {
		w.spent[task]++
	}
	w.loose = append(w.loose, task)
}

var errFailed = errors.New("failed")

// execute makes a call with up to two short repetitions, as the client does.
func (s *simWorker) execute(ctx context.Context) error {
	for n := range 3 {
		if n > 0 {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		release, err := s.limit.Acquire(ctx)
		if err != nil {
			return err
		}
		if s.isToDie(passOf(ctx).Probe()) {
			s.kill()
			<-s.ctx.Done() // it never says what became of it
			return ctx.Err()
		}
		answer := s.call()
		release(answer)
		switch {
		case answer.Status == 201:
			return nil
		case answer.Status != 0 && answer.Status < 500:
			return fmt.Errorf("%w: %d", errFailed, answer.Status)
		}
	}
	return errFailed
}

func (s *simWorker) call() layer.Answer {
	w := s.world
	s.mu.Lock()
	c := call{at: w.now(), worker: s, token: s.token}
	s.mu.Unlock()
	w.mu.Lock()
	w.calls = append(w.calls, c)
	answer, takes := w.api(c), w.takes
	w.mu.Unlock()
	if takes > 0 {
		<-time.After(takes)
	}
	return answer
}

// logBook is what a process logged.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

var _ io.Writer = (*logBook)(nil)

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
