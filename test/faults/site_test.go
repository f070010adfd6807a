//go:build faults && linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

// engine is what is put to the test: layerq, or asynq with a handler as one writes it
// first.
type engine string

const (
	layerq engine = "layerq"
	bare   engine = "bare asynq"
)

// site is everything that a row runs on: Redis, the emulator, workers.
type site struct {
	t      *testing.T
	engine engine
	dice   *dice

	redis    *redisServer
	emulator *emulator
	toRedis  *link // between the workers and Redis; nil for none
	toLayer  *link // between the workers and the emulator; nil for none

	env []string // of every worker

	loads []*load

	mu      sync.Mutex
	workers []*process
	started int
}

type setup struct {
	fsync   string        // appendfsync; everysec by default
	dir     string        // of Redis; a temporary one by default
	latency time.Duration // of the emulator
	env     []string      // of workers, beside what every worker gets
	links   bool          // the workers reach Redis and the emulator through proxies
}

// slots is how many tasks a worker has in its hands at most.
func slots() int {
	if *long {
		return 32
	}
	return 8
}

// fast settings: rows shall not wait for backoffs.
var fast = []string{
	"LAYERQ_RETRY_MIN=100ms", "LAYERQ_RETRY_MAX=2s",
	"LAYER_TIMEOUT=3s", "LAYERQ_DRAIN_TIMEOUT=20s", "LAYERQ_ADMIN_ADDR=127.0.0.1:0", "LAYERQ_LOG_LEVEL=info",
}

func newSite(t *testing.T, e engine, how setup) *site {
	t.Helper()
	if how.fsync == "" {
		how.fsync = "everysec"
	}
	if how.dir == "" {
		how.dir = t.TempDir()
	}
	if how.latency == 0 {
		how.latency = 50 * time.Millisecond
	}
	s := &site{t: t, engine: e, dice: newDice(t)}
	s.redis = newRedis(t, how.dir, how.fsync)
	s.emulator = newEmulator(t, "--latency", how.latency.String())
	redisAddr, layerAddr := s.redis.addr(), s.emulator.addr
	if how.links {
		s.toRedis, s.toLayer = newLink(t, redisAddr), newLink(t, layerAddr)
		redisAddr, layerAddr = s.toRedis.addr(), s.toLayer.addr()
	}
	s.env = append([]string{
		"REDIS_URL=redis://" + redisAddr, "LAYER_BASE_URL=http://" + layerAddr,
		"LAYER_APP_ID=" + layertest.DefaultAppID, "LAYER_TOKEN=" + layertest.DefaultToken,
		"LAYERQ_QUEUES=critical=4,bulk=4,default=" + strconv.Itoa(slots()),
	}, fast...)
	s.env = append(append(s.env, how.env...), "FAULTS_WITHOUT="+os.Getenv("FAULTS_WITHOUT"))
	if without("recovery") {
		s.noRecovery()
	}
	return s
}

// start starts n workers.
func (s *site) start(n int) {
	for range n {
		s.worker()
	}
}

// worker starts one more.
func (s *site) worker(env ...string) *process {
	return s.workerFrom(filepath.Join(programs, "worker"), env...)
}

// workerFrom starts one of a program of its own.
func (s *site) workerFrom(path string, env ...string) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started++
	all := append(append([]string{}, s.env...), env...)
	if s.engine == bare {
		exe, err := os.Executable()
		if err != nil {
			s.t.Error(err)
		}
		path, all = exe, append(all, asBareWorker+"=1")
	}
	p := start(s.t, "worker-"+strconv.Itoa(s.started), path, all)
	s.workers = append(s.workers, p)
	return p
}

// living are the workers that have not ended.
func (s *site) living() []*process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*process
	for _, p := range s.workers {
		if !p.ended() {
			list = append(list, p)
		}
	}
	return list
}

// replace kills a worker, and starts another in its place.
func (s *site) replace(env ...string) {
	list := s.living()
	list[s.dice.n(len(list))].kill()
	s.worker(env...)
}

// stopWorkers ends them in order; each must say that it left nothing behind.
func (s *site) stopWorkers() {
	s.t.Helper()
	list := s.living()
	for _, p := range list {
		p.signal(15)
	}
	for _, p := range list {
		if code := p.wait(time.Minute); code != 0 && s.engine == layerq {
			s.t.Errorf("%s ended with %d:\n%s", p.name, code, p.tail())
		}
	}
}

func (s *site) redisURL() string { return "redis://" + s.redis.addr() }

// ours runs a row with layerq alone.
func ours(t *testing.T, row func(t *testing.T, e engine)) {
	t.Helper()
	t.Run("layerq", func(t *testing.T) { row(t, layerq) })
}

// both runs a row with layerq and, in the long form, with bare asynq.
func both(t *testing.T, row func(t *testing.T, e engine)) {
	t.Helper()
	ours(t, row)
	if *long {
		t.Run("bare", func(t *testing.T) { row(t, bare) })
	}
}

func addrOf(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
