//go:build faults && linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/test/rig"
)

// Two producers enqueue the same keys at the same moment: each task is new to one of
// them, and there once.
func TestProducers_two_with_the_same_keys(t *testing.T) {
	t.Parallel()
	row{name: "producers: two with the same keys", compare: true, latency: 10 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(2)
		var fresh atomic.Int64
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { fresh.Add(int64(s.produce(l))) })
		}
		both.Wait()
		for _, j := range l.jobs {
			j.accepted = time.Now()
		}
		if n := int(fresh.Load()); s.engine == layerq && n != len(l.jobs) {
			s.t.Errorf("%d tasks were new to a producer, of %d", n, len(l.jobs))
		}
		s.finish(l, time.Now(), allowed{}, patience)
	})
}

// produce enqueues the load one by one, and returns how many of its tasks were new.
func (s *site) produce(l *load) (fresh int) {
	if s.engine == bare {
		l.produceBare()
		return 0
	}
	client, err := tasks.NewClient(s.redis.URL())
	if err != nil {
		s.t.Error(err)
		return 0
	}
	defer client.Close()
	for _, j := range l.jobs {
		info, err := client.Enqueue(s.t.Context(), j.task, tasks.Key(j.key))
		if err != nil {
			s.t.Errorf("%s: %v", j.key, err)
			return fresh
		}
		if info.ID != j.id {
			s.t.Errorf("%s is %s, and was to be %s", j.key, info.ID, j.id)
		}
		if !info.Duplicate {
			fresh++
		}
	}
	return fresh
}

// A bulk file is enqueued, and the command killed ten times; then once to its end.
// Its lines carry no keys.
func TestBulk_interrupted_ten_times(t *testing.T) {
	t.Parallel()
	row{name: "bulk: interrupted and run again ten times", latency: 5 * time.Millisecond, env: []string{"LAYERQ_QUEUES=default=32"}}.run(t, func(s *site) {
		l := s.messages(max(3000, rowTasks()), 200)
		path := filepath.Join(s.t.TempDir(), "bulk.ndjson")
		if err := os.WriteFile(path, l.lines(s.t), 0o600); err != nil {
			s.t.Fatal(err)
		}
		s.Start(2)
		// Slow enough to be interrupted.
		slow := rig.NewLink(s.t, s.redis.Addr())
		slow.Add(rig.Latency(110*time.Millisecond, 130*time.Millisecond)...)
		bulk := func() *rig.Process {
			return rig.Start(s.t, "enqueue", programs.Path("enqueue"), []string{"REDIS_URL=redis://" + slow.Addr()}, "bulk", "--json", path)
		}
		interrupted := 0
		for i := range 10 {
			p := bulk()
			<-time.After(ms(60 + s.dice.n(500)))
			if i%2 == 0 {
				p.Signal(syscall.SIGINT)
			} else {
				p.Signal(syscall.SIGKILL)
			}
			if p.Wait(time.Minute) != 0 {
				interrupted++
			}
		}
		if interrupted < 5 {
			s.t.Errorf("only %d of ten runs were interrupted: the row proves little", interrupted)
		}
		p := bulk()
		if code := p.Wait(5 * time.Minute); code != 0 {
			s.t.Fatalf("enqueue bulk ended with %d: %s", code, p.Tail())
		}
		s.t.Logf("%d of ten interrupted; the last run said %s", interrupted, p.Tail())
		s.take(l)
		s.finish(l, time.Now(), allowed{}, patience)
	})
}

// lines writes the load as a bulk file.
func (l *load) lines(t *testing.T) []byte {
	t.Helper()
	var file []byte
	for _, j := range l.jobs {
		args, err := json.Marshal(j.task)
		if err != nil {
			t.Fatal(err)
		}
		file = fmt.Appendf(file, "{\"type\":%q,\"args\":%s}\n", j.task.Type(), args)
	}
	return file
}

// take finds out which ids the lines got: those of their messages, since a message has the
// UUID of its task.
func (s *site) take(l *load) {
	s.t.Helper()
	for _, j := range l.jobs {
		j.accepted = time.Now()
	}
	s.settle(time.Now(), patience)
	texts := l.texts(s.t)
	for _, c := range l.conversations {
		for m, err := range s.emulator.API.Messages.All(s.t.Context(), c, listAll) {
			if err != nil {
				s.t.Fatal(err)
			}
			if j := texts[m.Parts[0].Body]; j != nil {
				delete(l.byID, j.id)
				j.id = m.ID.UUID()
				l.byID[j.id] = j
			}
		}
	}
}
