package queue_test

import (
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

func TestTimesThatAreNearArePublished(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	sub := rdb.Subscribe(t.Context(), queue.WakeChannel)
	defer func() { _ = sub.Close() }()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	store, near := queue.NewStore(rdb), time.Now().Add(2*time.Second)
	enqueue(t, store, message(queue.Default), time.Now().Add(time.Hour))
	enqueue(t, store, message(queue.Default), time.Time{})
	enqueue(t, store, message(queue.Critical), near)
	for {
		// On a real Redis the channel is shared with other tests.
		msg, err := sub.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		q, at, ok := queue.DecodeWake(msg.Payload)
		if !ok {
			t.Fatalf("published %q", msg.Payload)
		}
		if d := at.Sub(near); q == queue.Critical && d >= 0 && d < time.Second {
			return
		}
		if !redistest.Real() {
			t.Fatalf("published %q, want the near task alone", msg.Payload)
		}
	}
}

func TestWakeUpsInNoKnownForm(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "default", "default x", "default 1.5"} {
		if _, _, ok := queue.DecodeWake(s); ok {
			t.Errorf("%q was read", s)
		}
	}
}
