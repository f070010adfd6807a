//go:build faults && linux

package faults

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// engine is what is put to the test: layerq, or asynq with a handler as one writes it
// first.
type engine string

const (
	layerq engine = "layerq"
	bare   engine = "bare asynq"
)

// A row is one fault, and one line of the table.
type row struct {
	name    string
	compare bool // with bare asynq, in the long form and with the first seed
	idle    bool // it waits nearly all the time, and so runs beside whatever else does

	fsync   string                    // appendfsync; everysec by default
	dir     func(t *testing.T) string // of Redis; a temporary one by default
	latency time.Duration             // of the emulator; 50 ms by default
	env     []string                  // of workers, beside what every worker gets
	hangs   bool                      // Layer leaves calls without an answer: they wait no longer than needed
	links   bool                      // the workers reach Redis and the emulator through proxies
}

// run runs a row once with each seed of this run.
func (r row) run(t *testing.T, do func(s *site)) {
	t.Helper()
	if only := os.Getenv(rowName); only != "" && only != r.name {
		return
	}
	for i, seed := range seeds {
		engines := []engine{layerq}
		if r.compare && *long && i == 0 {
			engines = append(engines, bare)
		}
		for _, e := range engines {
			t.Run(fmt.Sprintf("%s, %s, seed %d", r.name, e, seed), func(t *testing.T) {
				t.Parallel()
				leave := func() {}
				if !r.idle {
					leave = takePlace(t)
				}
				s := r.site(t, e, seed)
				s.leavePlace = leave
				do(s)
			})
		}
	}
}

// places are for rows that run at a time.
var places chan struct{}

// takePlace waits for a place, which is t's until it ends, or leaves it before.
func takePlace(t *testing.T) (leave func()) {
	t.Helper()
	places <- struct{}{}
	leave = sync.OnceFunc(func() { <-places })
	t.Cleanup(leave)
	return leave
}

// site is everything that a row runs on: Redis, the emulator, workers.
type site struct {
	*rig.Fleet
	t      *testing.T
	row    string // that was begun last
	engine engine
	seed   uint64
	dice   *dice

	redis    *rig.Redis
	emulator *rig.Emulator
	toRedis  *rig.Link // between the workers and Redis; nil for none
	toLayer  *rig.Link // between the workers and the emulator; nil for none

	loads []*load

	leavePlace func() // to another row: from now on this one does little
}

// slots is how many tasks a worker has in its hands at most.
func slots() int {
	if *long {
		return 32
	}
	return 8
}

const (
	// timeoutName is the variable with the time that a call has.
	timeoutName = "LAYER_TIMEOUT"
	// drainName is the one with the time that a worker has to end.
	drainName = "LAYERQ_DRAIN_TIMEOUT"
	// queuesName is the one with the slots of each queue.
	queuesName = "LAYERQ_QUEUES"
)

// fast settings: rows shall not wait for backoffs.
var fast = []string{
	"LAYERQ_RETRY_MIN=100ms", "LAYERQ_RETRY_MAX=2s",
	drainName + "=20s", "LAYERQ_ADMIN_ADDR=127.0.0.1:0", "LAYERQ_LOG_LEVEL=info",
}

func (r row) site(t *testing.T, e engine, seed uint64) *site {
	t.Helper()
	if r.fsync == "" {
		r.fsync = "everysec"
	}
	if r.dir == nil {
		r.dir = (*testing.T).TempDir
	}
	if r.latency == 0 {
		r.latency = 50 * time.Millisecond
	}
	s := &site{t: t, engine: e, seed: seed, dice: newDice(seed, r.name)}
	s.begin(r.name)
	s.redis = rig.StartRedis(t, r.dir(t), r.fsync)
	s.emulator = rig.StartEmulator(t, programs, "--latency", r.latency.String(), "--seed", strconv.FormatUint(seed+1, 10))
	redisAddr, layerAddr := s.redis.Addr(), s.emulator.Addr
	if r.links {
		s.toRedis, s.toLayer = rig.NewLink(t, redisAddr), rig.NewLink(t, layerAddr)
		redisAddr, layerAddr = s.toRedis.Addr(), s.toLayer.Addr()
	}
	timeout := 10 * time.Second // a call that ends by it is made twice: not because the machine is busy
	if r.hangs {
		timeout = 3 * time.Second
	}
	env := append(append(s.emulator.Env(layerAddr), fast...), timeoutName+"="+timeout.String())
	env = append(env, "REDIS_URL=redis://"+redisAddr, queuesName+"=critical=4,bulk=4,default="+strconv.Itoa(slots()))
	env = append(append(env, r.env...), withoutName+"="+os.Getenv(withoutName))
	program := programs.Path("worker")
	if e == bare {
		var err error
		if program, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
		env = append(env, asBareWorker+"=1")
	}
	s.Fleet = rig.NewFleet(t, program, env...)
	if without("recovery") {
		s.noRecovery()
	}
	return s
}

// replace kills a worker, and starts another in its place.
func (s *site) replace() { s.Replace(s.dice.n) }

// stopWorkers ends them in order; each of ours must say that it left nothing behind.
func (s *site) stopWorkers() {
	s.t.Helper()
	if s.engine == layerq {
		s.Stop()
		return
	}
	for _, p := range s.Living() {
		p.Kill() // how it would end is asynq's affair
	}
}
