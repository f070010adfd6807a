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
)

// Two producers enqueue the same keys at the same moment: each task is new to one of
// them, and there once.
func TestProducers_two_with_the_same_keys(t *testing.T) {
	t.Parallel()
	s := newSite(t, layerq, setup{latency: 10 * time.Millisecond})
	l := s.load(rowTasks())
	s.start(2)
	const producers = 2
	var both sync.WaitGroup
	var fresh atomic.Int64
	for range producers {
		client, err := tasks.NewClient(s.redisURL())
		if err != nil {
			t.Fatal(err)
		}
		both.Go(func() {
			defer client.Close()
			for _, j := range l.jobs {
				info, err := client.Enqueue(t.Context(), j.task, tasks.Key(j.key))
				if err != nil {
					t.Errorf("%s: %v", j.key, err)
					return
				}
				if info.ID != j.id {
					t.Errorf("%s is %s, and was to be %s", j.key, info.ID, j.id)
				}
				if !info.Duplicate {
					fresh.Add(1)
				}
			}
		})
	}
	both.Wait()
	for _, j := range l.jobs {
		j.accepted = time.Now()
	}
	if n := int(fresh.Load()); n != len(l.jobs) {
		t.Errorf("%d tasks were new to a producer, of %d", n, len(l.jobs))
	}
	b := s.close(l, time.Now(), allowed{})
	s.record("producers: two with the same keys", b)
}

// A bulk file is enqueued, and the command killed ten times; then once to its end.
// Its lines carry no keys.
func TestBulk_interrupted_ten_times(t *testing.T) {
	t.Parallel()
	s := newSite(t, layerq, setup{latency: 5 * time.Millisecond, env: []string{"LAYERQ_QUEUES=default=32"}})
	l := s.messages(max(3000, rowTasks()), 200)
	path := filepath.Join(t.TempDir(), "bulk.ndjson")
	if err := os.WriteFile(path, l.lines(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(2)
	// Slow enough to be interrupted.
	slow := newLink(t, s.redis.addr())
	slow.add(toxic{"asked", "latency", "upstream", map[string]int{"latency": 60}})
	bulk := func() *process {
		return start(t, "enqueue", filepath.Join(programs, "enqueue"), []string{"REDIS_URL=redis://" + slow.addr()}, "bulk", "--json", path)
	}
	interrupted := 0
	for i := range 10 {
		p := bulk()
		<-time.After(ms(60 + s.dice.n(500)))
		if i%2 == 0 {
			p.signal(syscall.SIGINT)
		} else {
			p.signal(syscall.SIGKILL)
		}
		p.wait(time.Minute)
		if p.cmd.ProcessState.ExitCode() != 0 {
			interrupted++
		}
	}
	if interrupted < 5 {
		t.Errorf("only %d of ten runs were interrupted: the row proves little", interrupted)
	}
	p := bulk()
	if code := p.wait(5 * time.Minute); code != 0 {
		t.Fatalf("enqueue bulk ended with %d: %s", code, p.tail())
	}
	t.Logf("%d of ten interrupted; the last run said %s", interrupted, p.tail())
	s.take(l)
	b := s.close(l, time.Now(), allowed{})
	s.record("bulk: interrupted and run again ten times", b)
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
		for m, err := range s.emulator.api.Messages.All(s.t.Context(), c, listAll) {
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
