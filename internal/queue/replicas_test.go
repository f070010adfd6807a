package queue_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

func TestWithoutReplicasATaskIsNotConfirmed(t *testing.T) {
	t.Parallel()
	if !redistest.Real() {
		t.Skip("the embedded Redis has no WAIT; runs where " + redistest.EnvAddr + " is set")
	}
	store := queue.NewStore(redistest.New(t))
	if err := store.RequireReplicas(1, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	m := message(queue.Default)
	for range 2 { // the second time it is there already
		answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: m}})
		if !errors.Is(err, queue.ErrReplicas) || !errors.Is(answers[0].Err, queue.ErrReplicas) {
			t.Errorf("%v, want it not confirmed", err)
		}
	}
	if rec, err := store.Find(t.Context(), m.ID); err != nil || rec.State != queue.Pending {
		t.Errorf("%+v, %v, want it stored all the same", rec, err)
	}
}

// Replicas confirm what was written before they are asked: so they are asked after the last write.
func TestReplicasAreAskedAfterWhatIsRepeated(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	sent := new(waits)
	rdb.AddHook(sent)
	store := queue.NewStore(rdb)
	if err := store.RequireReplicas(1, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	entries := []queue.Entry{{Message: message(queue.Default), Lane: "a"}, {Message: message(queue.Default), Lane: "a"}}
	if _, err := store.Enqueue(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	if n := len(sent.names); n < 4 || sent.names[n-1] != "wait" || sent.names[n-2] != "set" {
		t.Errorf("%v, want a mark and the question at the end", sent.names)
	}
	if n := rdb.LLen(t.Context(), queue.LaneKey(queue.Default, "a")).Val(); n != 1 {
		t.Errorf("%d wait in the lane, want 1", n)
	}
}

// waits is a Redis that has forgotten the script in a pipeline, and whose replica confirms. It notes what it was sent.
type waits struct{ names []string }

func (*waits) DialHook(next redis.DialHook) redis.DialHook { return next }

func (w *waits) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		w.names = append(w.names, cmd.Name())
		return next(ctx, cmd)
	}
}

func (w *waits) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var sent []redis.Cmder
		for _, cmd := range cmds {
			w.names = append(w.names, cmd.Name())
			c, plain := cmd.(*redis.Cmd)
			switch {
			case plain && cmd.Name() == "wait":
				c.SetVal(int64(1))
			case cmd.Name() == "eval":
				cmd.SetErr(answer("NOSCRIPT No matching script. Please use EVAL."))
			default:
				sent = append(sent, cmd)
			}
		}
		return next(ctx, sent)
	}
}

// A replica of its own confirms, and has the task when it has.
func TestAReplicaConfirms(t *testing.T) {
	t.Parallel()
	primary := redisServer(t, "--repl-diskless-sync-delay", "0")
	replica := redisServer(t, "--replicaof", "127.0.0.1", portOf(t, primary))
	store := queue.NewStore(primary)
	if err := store.RequireReplicas(1, 2*time.Second); err != nil {
		t.Fatal(err)
	}
	m := message(queue.Default)
	for deadline := time.Now().Add(20 * time.Second); ; { // until the replica has connected
		if _, err := store.Enqueue(t.Context(), []queue.Entry{{Message: m}}); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if n := replica.Exists(t.Context(), queue.TaskKey(queue.Default, m.ID)).Val(); n != 1 {
		t.Error("the replica has confirmed a task that it does not have")
	}
}

// redisServer is a redis-server of the test's own; where none is installed the test is skipped.
func redisServer(t *testing.T, args ...string) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: redistest.NewServer(t, args...).Addr, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func portOf(t *testing.T, rdb *redis.Client) string {
	t.Helper()
	_, port, err := net.SplitHostPort(rdb.Options().Addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
