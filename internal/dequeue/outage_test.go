package dequeue_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// within is what an operator is promised for noticing an outage and for its end.
const within = 5 * time.Second

func TestCutConnectionsAreMadeAgain(t *testing.T) {
	t.Parallel()
	proxy, other := redistest.NewProxy(t), redistest.New(t)
	p := start(t, proxy.Client(t), nil, queue.Default)
	for n := range 2 {
		p.idle(t, n+1)
		if n > 0 {
			<-time.After(1100 * time.Millisecond) // a connection that is cut every moment is polled instead
		}
		proxy.Drop() // the blocked command among them
		began := time.Now()
		enqueue(t, other, message(queue.Default), time.Time{})
		if took := p.wait(t, n+1)[n].At.Sub(began); took > soon {
			t.Errorf("picked up after %s", took)
		}
	}
	if n := p.log.count("polled"); n != 0 {
		t.Errorf("a cut connection alone is no news, but: %s", p.log)
	}
}

func TestRedisGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	proxy, other := redistest.NewProxy(t), redistest.New(t)
	p := start(t, proxy.Client(t), nil, queue.Names...)
	p.idle(t, 3)
	eventually(t, "good health", func() bool {
		ok, err := p.hook.Health()
		return err == nil && time.Since(ok) < within
	})

	began := time.Now()
	proxy.Cut()
	eventually(t, "bad health", func() bool { _, err := p.hook.Health(); return err != nil })
	if took := time.Since(began); took > within {
		t.Errorf("noticed after %s", took)
	}
	for _, q := range queue.Names {
		enqueue(t, other, message(q), time.Time{})
	}
	looks := p.scripts.Load()
	<-time.After(3 * time.Second)
	if n := p.scripts.Load() - looks; n > 20 {
		t.Errorf("%d looks in 3 s without Redis", n)
	}

	began = time.Now()
	proxy.Restore(t)
	p.wait(t, 3)
	if took := time.Since(began); took > within {
		t.Errorf("tasks were taken %s after Redis' return", took)
	}
	eventually(t, "good health", func() bool { _, err := p.hook.Health(); return err == nil })
	eventually(t, "the line about the end", func() bool { return p.log.count("redis is back") == 1 })
	if p.log.count("redis fails") != 1 || p.log.count("\n") != 2 {
		t.Errorf("want one line when Redis went and one when it was back, got:\n%s", p.log)
	}
	// The wake-up works again as well.
	p.idle(t, 3)
	began = time.Now()
	enqueue(t, other, message(queue.Default), time.Time{})
	if took := p.wait(t, 4)[3].At.Sub(began); took > soon {
		t.Errorf("picked up after %s", took)
	}
}

func TestRedisThatHangsIsNoticed(t *testing.T) {
	t.Parallel()
	proxy, other := redistest.NewProxy(t), redistest.New(t)
	p := start(t, proxy.Client(t), nil, queue.Default)
	p.idle(t, 1)
	began := time.Now()
	proxy.Freeze()
	eventually(t, "bad health", func() bool { _, err := p.hook.Health(); return err != nil })
	if took := time.Since(began); took > within {
		t.Errorf("noticed after %s", took)
	}
	// Bad it stays, also between two attempts.
	for until := time.Now().Add(8 * time.Second); time.Now().Before(until); <-time.After(20 * time.Millisecond) {
		if _, err := p.hook.Health(); err == nil {
			t.Fatalf("good health %s after Redis began to hang", time.Since(began))
		}
	}
	proxy.Thaw()
	p.idle(t, 1)
	enqueue(t, other, message(queue.Default), time.Time{})
	began = time.Now()
	p.wait(t, 1)
	if took := time.Since(began); took > within {
		t.Errorf("the task was taken after %s", took)
	}
	eventually(t, "good health", func() bool { _, err := p.hook.Health(); return err == nil })
}

func TestCloseDuringAnOutage(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		down func(*redistest.Proxy)
	}{
		{"Redis is gone", (*redistest.Proxy).Cut},
		{"Redis hangs", (*redistest.Proxy).Freeze},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			proxy := redistest.NewProxy(t)
			p := start(t, proxy.Client(t), nil, queue.Default)
			p.idle(t, 1)
			tc.down(proxy)
			proxy.Drop() // new connections are on their way
			<-time.After(100 * time.Millisecond)
			began := time.Now()
			p.hook.Close()
			if took := time.Since(began); took > soon {
				t.Errorf("Close took %s", took)
			}
			proxy.Thaw() // for the server's shutdown
		})
	}
}

func TestScriptIsLoadedAgain(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	p := start(t, worker, nil, queue.Default)
	for n := range 2 {
		p.idle(t, 1)
		if err := other.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		enqueue(t, other, message(queue.Default), time.Time{})
		p.wait(t, n+1)
	}
}

// A refused dequeue (LOADING, READONLY, OOM, WRONGTYPE) is an outage of that queue alone.
func TestRefusedDequeue(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	other.Set(t.Context(), queue.PendingKey(queue.Bulk), "no list", 0)
	p := start(t, worker, nil, queue.Bulk, queue.Default)
	eventually(t, "bad health", func() bool { _, err := p.hook.Health(); return err != nil })
	enqueue(t, other, message(queue.Default), time.Time{})
	p.wait(t, 1)
	if n := p.log.count("redis fails"); n != 1 {
		t.Errorf("%d lines about it, want 1:\n%s", n, p.log)
	}
	other.Del(t.Context(), queue.PendingKey(queue.Bulk))
	enqueue(t, other, message(queue.Bulk), time.Time{})
	p.wait(t, 2)
	eventually(t, "good health", func() bool { _, err := p.hook.Health(); return err == nil })
}

// unknown is a client of a kind that the hook cannot make another one of.
type unknown struct{ redis.UniversalClient }

func TestPollingWhereWaitingIsNotPossible(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	p := start(t, unknown{worker}, nil, queue.Default)
	for n := range 3 {
		began := time.Now()
		enqueue(t, other, message(queue.Default), time.Time{})
		if took := p.wait(t, n+1)[n].At.Sub(began); took > dequeue.BlockTimeout {
			t.Errorf("picked up after %s, want about a second", took)
		}
	}
	if n := p.log.count("polled"); n > 1 {
		t.Errorf("%d lines about it, want 1:\n%s", n, p.log)
	}
}
