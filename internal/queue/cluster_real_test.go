package queue_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// A Cluster refuses scripts that touch keys of several slots: only a real one tells.
func TestRealClusterTakesEveryScript(t *testing.T) {
	t.Parallel()
	node := redisServer(t, "--cluster-enabled", "yes")
	addr := node.Options().Addr
	if err := node.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a cluster", func() bool {
		return node.Set(t.Context(), "probe", 1, time.Second).Err() == nil
	})
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}})
	t.Cleanup(func() { _ = rdb.Close() })
	b := &leaseBench{queue.NewStore(rdb), t, t.Context(), rdb}

	head, next, soon := message(queue.Default), message(queue.Default), message(queue.Default)
	other := message(queue.Bulk)
	if _, err := b.Enqueue(b.ctx, []queue.Entry{
		{Message: head, Lane: "a", StopLane: true}, {Message: other}, {Message: next, Lane: "a"}, {Message: soon, ProcessAt: time.Now().Add(2 * time.Second)},
	}); err != nil {
		t.Fatal(err)
	}
	taken := b.take()
	if taken.ID != head.ID {
		t.Fatalf("%+v, want the head", taken)
	}
	if lost, err := b.Extend(b.ctx, queue.Default, []queue.Delivery{taken.Delivery()}); err != nil || len(lost) > 0 {
		t.Errorf("%v, %v", lost, err)
	}
	b.die(head.ID)
	if !b.settle(b.take(), queue.VerdictArchive) {
		t.Error("not settled")
	}
	if done, err := b.Replay(b.ctx, queue.Default, []string{head.ID}); err != nil || !done[0] {
		t.Errorf("%v, %v", done, err)
	}
	if !b.settle(b.take(), queue.VerdictDone) {
		t.Error("not settled")
	}
	if was, err := b.Remove(b.ctx, next.ID, queue.Pending); err != nil || was != queue.Pending {
		t.Errorf("%s, %v", was, err)
	}
	if err := b.Hold(b.ctx, queue.Names, queue.Hold{Reason: "x"}, time.Minute, 1); err != nil {
		t.Error(err)
	}
	if _, err := b.Pause(b.ctx, queue.Default); err != nil {
		t.Error(err)
	}
	if infos, err := b.Queues(b.ctx); err != nil || infos[2].Pending != 1 || !infos[1].Paused {
		t.Errorf("%+v, %v", infos, err)
	}
}
