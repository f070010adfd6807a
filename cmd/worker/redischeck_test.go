package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/internal/redisurl"
	"github.com/layerq/layerq/layer/layertest"
)

// at returns the environment of a worker on a Redis.
func at(url string) []string {
	return []string{
		"REDIS_URL=" + url, "LAYER_BASE_URL=http://127.0.0.1:1", "LAYER_APP_ID=" + layertest.DefaultAppID, "LAYER_TOKEN=swordfish",
		"LAYERQ_ADMIN_ADDR=127.0.0.1:0",
	}
}

func TestStart_refuses_a_Redis_that_it_cannot_use(t *testing.T) {
	t.Parallel()
	s := redistest.NewServer(t, "--requirepass", "swordfish", "--user", "few", "on", ">pw", "allkeys", "allchannels", "+@all", "-lpush")
	for _, tc := range []struct{ name, url, want string }{
		{"a wrong password", "redis://:hunter2@" + s.Addr, "refuses the user or the password of REDIS_URL"},
		{"no password", "redis://" + s.Addr, "wants a password"},
		{"a command that is forbidden", "redis://few:pw@" + s.Addr, "forbids its user LPUSH"},
		{"no cluster", "redis-cluster://:swordfish@" + s.Addr, "is no cluster: use redis://"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), nil, at(tc.url), &stdout, &stderr); code != console.Wrong {
				t.Errorf("exit %d", code)
			}
			for _, want := range []string{"worker: REDIS_URL (--redis-url): Redis at ", s.Addr + " " + tc.want, "See 'worker --help'."} {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr lacks %q: %s", want, stderr.String())
				}
			}
			if strings.Contains(stderr.String(), "hunter2") || strings.Contains(stderr.String(), "swordfish@") {
				t.Errorf("stderr shows a password: %s", stderr.String())
			}
		})
	}
}

func TestStart_warns_of_a_Redis_that_loses_tasks(t *testing.T) {
	t.Parallel()
	s := redistest.NewServer(t, "--appendonly", "no", "--maxmemory-policy", "allkeys-lru")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() { code <- run(ctx, nil, at("redis://"+s.Addr), &stdout, &stderr) }()
	admin := stderr.adminURL(t)
	_, page := get(t, admin+"/")
	for _, want := range []string{"drops tasks that were accepted as soon as its memory is limited", "loses accepted tasks when it restarts: set appendonly yes"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("the log lacks %q: %s", want, stderr.String())
		}
		if !strings.Contains(page, want) {
			t.Errorf("the start page lacks %q: %s", want, page)
		}
	}
	cancel()
	if got := <-code; got != console.Done {
		t.Errorf("exit %d: %s", got, stderr.String())
	}
}

// A Redis without memory, say, is looked at again and again until it has some.
func TestARiskIsLoggedOnce(t *testing.T) {
	t.Parallel()
	s := redistest.NewServer(t, "--appendonly", "no", "--maxmemory-policy", "noeviction", "--maxmemory", "1")
	rdb, err := redisurl.Open("redis://" + s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	var logged output
	look := &redisLook{rdb: rdb, addr: s.Addr, log: slog.New(slog.NewTextHandler(&logged, nil))}
	for range 3 {
		if found := look.once(t.Context()); len(found.Of(redischeck.Passing)) == 0 {
			t.Errorf("found %v", found)
		}
	}
	if n := strings.Count(logged.String(), "tasks are not safe"); n != 1 {
		t.Errorf("it is said %d times: %s", n, logged.String())
	}
	if len(look.warnings()) != 1 {
		t.Errorf("the page shows %q", look.warnings())
	}
}

func TestStart_waits_for_a_Redis_that_comes_later(t *testing.T) {
	t.Parallel()
	s := redistest.NewServer(t, "--appendonly", "no")
	s.Kill()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() { code <- run(ctx, nil, at("redis://"+s.Addr), &stdout, &stderr) }()
	admin := stderr.adminURL(t)
	if status, body := get(t, admin+"/readyz"); status != 503 || !strings.Contains(body, "Redis cannot be reached: connect: connection refused") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if !strings.Contains(stderr.String(), "redis is not ready, the worker waits for it") {
		t.Errorf("the log: %s", stderr.String())
	}
	s.Start(t)
	eventually(t, "being ready", func() bool { status, _ := get(t, admin+"/readyz"); return status == 200 })
	eventually(t, "that it is said", func() bool { return strings.Contains(stderr.String(), "redis is ready") })
	if !strings.Contains(stderr.String(), "set appendonly yes") {
		t.Errorf("the log says nothing of the risk: %s", stderr.String())
	}
	cancel()
	if got := <-code; got != console.Done {
		t.Errorf("exit %d: %s", got, stderr.String())
	}
}
