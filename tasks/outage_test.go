package tasks_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/tasks"
)

func TestRedisThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := tasks.NewClient("redis://user:secret@" + addr + "/0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })

	start := time.Now()
	_, enqueueErr := c.Enqueue(t.Context(), block, tasks.Key("k"))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	down, ok := errors.AsType[*tasks.RedisError](enqueueErr)
	if !ok || down.Addr != addr || down.ID != tasks.KeyID(tasks.TypeBlockUser, "k") {
		t.Fatalf("%#v", enqueueErr)
	}
	_, statusErr := c.Status(t.Context(), down.ID)
	_, waitErr := c.Wait(t.Context(), down.ID)
	_, queuesErr := c.Queues(t.Context())
	for _, err := range []error{enqueueErr, statusErr, waitErr, queuesErr, c.Ping(t.Context())} {
		if err == nil || !strings.HasPrefix(err.Error(), "tasks: Redis at "+addr+" ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

// A refused password comes back in other ways from a pipeline than from a command.
func TestAWrongPasswordIsNamed(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	server.RequireAuth("right")
	for name, user := range map[string]string{"a wrong password": ":wrong@", "no password": ""} {
		c, err := tasks.NewClient("redis://" + user + server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, enqueueErr := c.Enqueue(t.Context(), block)
		_, many := c.EnqueueMany(t.Context(), []tasks.Request{{Task: block}, {Task: block}})
		_, statusErr := c.Status(t.Context(), uuid.New())
		_, queuesErr := c.Queues(t.Context())
		for _, err := range []error{enqueueErr, many, statusErr, queuesErr, c.Ping(t.Context())} {
			if err == nil || !strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "unexpected") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestWrongURLIsRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "127.0.0.1:6379", "http://127.0.0.1", "redis://127.0.0.1:6379/x"} {
		if c, err := tasks.NewClient(url); err == nil {
			_ = c.Close()
			t.Errorf("%q is taken", url)
		}
	}
}

func TestEnqueueManyDuringAnOutage(t *testing.T) {
	t.Parallel()
	proxy := redistest.NewProxy(t)
	c, err := tasks.NewClientFromRedis(proxy.Client(t))
	if err != nil {
		t.Fatal(err)
	}
	requests := []tasks.Request{{Task: block, Options: []tasks.Option{tasks.Key("k")}}, {}, {Task: block}}
	proxy.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	answers, err := c.EnqueueMany(ctx, requests)
	if err == nil {
		t.Fatal("no error")
	}
	for i, want := range []string{"*tasks.RedisError", "*tasks.InvalidError", "*tasks.RedisError"} {
		if got := outcome(answers[i]); got != want {
			t.Errorf("answer %d is %s (%v), want %s", i, got, answers[i].Err, want)
		}
	}
	proxy.Restore(t)
	lost, _ := errors.AsType[*tasks.RedisError](answers[2].Err)
	requests[2].Options = []tasks.Option{tasks.ID(lost.ID)}
	for round, want := range []string{"enqueued", "duplicate"} {
		answers, err = c.EnqueueMany(t.Context(), requests)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := outcome(answers[0]), outcome(answers[2]); a != want || b != want {
			t.Errorf("round %d: %s and %s, want %s", round, a, b, want)
		}
	}
}
