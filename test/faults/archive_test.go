//go:build faults && linux

package faults

import (
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/test/rig"
)

// archived is how many tasks are given up at once: more than the 10,000 that asynq
// keeps.
func archived() int {
	if *long {
		return 100_000
	}
	return 10_400
}

// blocks makes a load of tasks that do not wait for each other.
func (s *site) blocks(n int) *load {
	s.t.Helper()
	if s.engine == bare {
		l := s.messages(n, lanes(n))
		l.bare = []asynq.Option{asynq.MaxRetry(0)} // as it tries again what is refused for good, otherwise
		return l
	}
	l := s.emptyLoad(0)
	for i := range n {
		l.add(&job{task: tasks.BlockUser{Owner: l.name + strconv.Itoa(i), User: "mallory"}})
	}
	return l
}

// More tasks are given up than asynq keeps: each stays, with its reason. Then the cause is
// repaired and all are replayed, by a command that is interrupted again and again.
func TestArchive_beyond_10000_and_replayed(t *testing.T) {
	t.Parallel()
	row{name: "archive: more than 10,000", compare: true, latency: time.Millisecond, env: []string{"LAYERQ_QUEUES=default=16"}}.run(t, func(s *site) {
		l := s.blocks(archived())
		s.emulator.Faults(some(100, layertest.Rule{Status: http.StatusUnprocessableEntity}))
		s.Start(2)
		l.enqueue(0)
		over := time.Now()
		took, settled := s.settle(over, patience)
		b := s.balance(l, allowed{archived: func(*job) bool { return true }, repeats: anyNumber})
		b.Recovery, b.Open = took, !settled
		s.record(b)
		if n := s.inArchive(); n != len(l.jobs) {
			s.failf("asynq's archive shows %d of %d", n, len(l.jobs))
		}
		s.trimmed(len(l.jobs))

		s.begin("archive: replayed")
		s.emulator.Faults()
		l.since = s.emulator.Mark()
		over = time.Now()
		s.replay()
		s.finish(l, over, allowed{fails: true}, patience) // Layer failed before
	})
}

// inArchive is how many tasks asynq's archive shows.
func (s *site) inArchive() int {
	s.t.Helper()
	return int(rig.Read(s.t, s.redis.Client.ZCard(s.t.Context(), queue.ArchivedKey(queue.Default))))
}

// trimmed archives one more task with asynq's Inspector, as asynq's own tools do: that throws out what is beyond 10,000. All must
// come back; the one more is deleted then.
func (s *site) trimmed(have int) {
	s.t.Helper()
	if s.engine == bare {
		return // it has thrown out more than that
	}
	ctx, limit := s.t.Context(), time.Minute
	if *long {
		limit = patience
	}
	payload, err := tasks.Encode(tasks.BlockUser{Owner: "one more", User: "mallory"})
	if err != nil {
		s.t.Fatal(err)
	}
	opt := asynq.RedisClientOpt{Addr: s.redis.Addr()}
	client, inspector := asynq.NewClient(opt), asynq.NewInspector(opt)
	defer client.Close()
	defer inspector.Close()
	id := uuid.NewString()
	if _, err := client.EnqueueContext(ctx, asynq.NewTask(tasks.TypeBlockUser, payload), asynq.TaskID(id), asynq.Queue(queue.Default), asynq.ProcessIn(time.Hour)); err != nil {
		s.t.Fatal(err)
	}
	if err := inspector.ArchiveTask(queue.Default, id); err != nil {
		s.t.Fatal(err)
	}
	begin := time.Now()
	rig.Eventually(s.t, limit, "the archive has all again that asynq's Inspector threw out", func() bool {
		return s.inArchive() == have+1
	})
	s.t.Logf("all are in the archive again after %v", time.Since(begin).Round(time.Millisecond))
	if err := inspector.DeleteTask(queue.Default, id); err != nil {
		s.t.Fatal(err)
	}
}

// replay runs `enqueue replay` to its end, after four runs that were interrupted when they had run some of the tasks.
func (s *site) replay() {
	s.t.Helper()
	if s.engine == bare {
		inspector := asynq.NewInspector(asynq.RedisClientOpt{Addr: s.redis.Addr()})
		defer inspector.Close()
		if _, err := inspector.RunAllArchivedTasks(queue.Default); err != nil {
			s.failf("running what is archived: %v", err)
		}
		return
	}
	command := func(redisAddr string, args ...string) *rig.Process {
		return rig.Start(s.t, "replay", programs.Path("enqueue"), []string{"REDIS_URL=redis://" + redisAddr}, append([]string{"replay", "--json"}, args...)...)
	}
	if p := command(s.redis.Addr(), "--dry-run"); p.Wait(time.Minute) != 0 || s.inArchive() != archived() {
		s.t.Errorf("a dry run has run something: %s", p.Tail())
	}
	// Slow enough to be interrupted.
	slow := rig.NewLink(s.t, s.redis.Addr())
	slow.Add(rig.Latency(20*time.Millisecond, 40*time.Millisecond)...)
	halfWay := 0
	for i := range 4 {
		before := s.inArchive()
		enough := before - 1 - s.dice.n(archived()/10)
		p := command(slow.Addr())
		rig.Eventually(s.t, patience, "archived tasks run again", func() bool { return s.inArchive() <= enough || p.Ended() })
		if i%2 == 0 {
			p.Signal(syscall.SIGINT)
		} else {
			p.Signal(syscall.SIGKILL)
		}
		code := p.Wait(time.Minute)
		if left := s.inArchive(); code != 0 && 0 < left && left < before {
			halfWay++
		}
	}
	if halfWay < 2 {
		s.t.Errorf("only %d of four runs were interrupted half way: the row proves little", halfWay)
	}
	p := command(s.redis.Addr())
	if code := p.Wait(patience); code != 0 {
		s.t.Errorf("enqueue replay ended with %d: %s", code, p.Tail())
	}
	s.t.Logf("%d of four interrupted half way; the last run said %s", halfWay, p.Tail())
}
