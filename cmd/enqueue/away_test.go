package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/console"
)

func TestARedisThatIsNotThere(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{block, "status " + id, "queues", "bulk -"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			c := &cli{t: t, env: []string{"REDIS_URL=redis://me:hunter2@" + gone}}
			started := time.Now()
			got := c.want(console.Failed, strings.Fields(args)...)
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if !strings.Contains(got.stderr, "Redis at "+gone) || strings.Contains(got.stderr, "hunter2") || strings.Contains(got.stderr, "--help") || got.stdout != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestARedisThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := &cli{t: t, env: []string{"REDIS_URL=redis://" + listener.Addr().String()}}
	started := time.Now()
	got := c.want(console.Failed, strings.Fields(block)...)
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(got.stderr, "Redis at "+listener.Addr().String()+" does not answer") || !strings.Contains(got.stderr, "run again with --id ") {
		t.Errorf("stderr %q", got.stderr)
	}
	if got := c.want(console.Failed, strings.Fields(block+" --key k")...); !strings.Contains(got.stderr, "run the same again, which enqueues it once") {
		t.Errorf("with a key: stderr %q", got.stderr)
	}
}

func TestARedisURLThatIsWrong(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	c := &cli{t: t, env: []string{"REDIS_URL=redis://" + web.Listener.Addr().String()}}
	for _, args := range []string{block, "status " + id, "queues"} {
		got := c.want(console.Wrong, strings.Fields(args)...)
		if want := "enqueue: REDIS_URL (--redis-url): Redis at " + web.Listener.Addr().String() + " is no Redis: it answers in HTTP\n"; !strings.HasPrefix(got.stderr, want) || got.stdout != "" {
			t.Errorf("%s: got %+v, want %q", args, got, want)
		}
	}
}

func TestTheSandboxIsTheDefault(t *testing.T) {
	t.Parallel()
	// Whether a sandbox runs on this machine or not: the text of the command
	// that asks it names its address, or it is asked.
	got := (&cli{t: t}).run("status", id)
	if got.code != console.Failed || !strings.Contains(got.stderr, "there is no task "+id) && !strings.Contains(got.stderr, "Redis at 127.0.0.1:16379") {
		t.Errorf("got %+v", got)
	}
}
