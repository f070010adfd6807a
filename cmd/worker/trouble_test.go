package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// realSite is a site with a redis-server of its own.
func realSite(t *testing.T, args ...string) (*site, *redis.Client) {
	t.Helper()
	server := redistest.NewServer(t, append([]string{"--appendonly", "yes"}, args...)...)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr, MaxRetries: -1, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = rdb.Close() })
	s := newSite(t)
	var err error
	if s.tasks, err = tasks.NewClientFromRedis(rdb); err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "REDIS_URL=redis://"+server.Addr)
	return s, rdb
}

// done waits until a number of tasks is completed, and nothing else is in queue default.
func (s *site) done(t *testing.T, n int) {
	t.Helper()
	eventually(t, "all are done", func() bool {
		queues, err := s.tasks.Queues(t.Context())
		if err != nil {
			return false
		}
		q := queues[1]
		return q.Completed == n && q.Pending+q.Waiting+q.Scheduled+q.Active+q.Retry+q.Archived == 0
	})
}

// A Redis whose memory is full takes no task more. What it has is worked off, also with a limit and through a hold.
func TestProcess_works_off_a_full_Redis(t *testing.T) {
	t.Parallel()
	s, rdb := realSite(t)
	const n = 60
	for range n {
		s.enqueue(t)
	}
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	_, err := s.tasks.Enqueue(t.Context(), tasks.BlockUser{Owner: "alice", User: "mallory"})
	if err == nil || !strings.Contains(err.Error(), "no memory left for new tasks") {
		t.Errorf("enqueue: %v", err)
	}
	s.layer.Fault(layertest.Rule{Status: 429, RetryAfter: layertest.Duration(time.Second), Count: new(1)})
	cmd, stderr := s.process(t, "LAYERQ_RATE_LIMIT=100/1s")
	s.done(t, n)
	if got := s.layer.Stats(); got.Messages != n || got.Requests != n+1 {
		t.Errorf("%d messages by %d calls, want %d by one more", got.Messages, got.Requests, n)
	}
	if !strings.Contains(stderr.String(), "layer is asked again: tasks are taken") {
		t.Errorf("the hold did not end:\n%s", stderr.String())
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := ended(t, cmd); code != console.Done {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
}

// For a while Redis answers everything with an error, in the middle of calls. The producer is told, the worker says that it is not
// ready, and goes on when that is over: each message is there once, no attempt is lost.
func TestProcess_bears_a_Redis_that_refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args       []string
		begin, end func(t *testing.T, rdb *redis.Client)
		says       string
	}{
		"busy with a script": {
			args: []string{"--lua-time-limit", "100"},
			begin: func(t *testing.T, rdb *redis.Client) {
				t.Helper()
				ctx := context.WithoutCancel(t.Context())
				go rdb.Eval(ctx, "while true do end", nil) // ends when it is killed
			},
			end:  func(t *testing.T, rdb *redis.Client) { t.Helper(); rdb.ScriptKill(t.Context()) },
			says: "is busy with somebody's script",
		},
		"read-only": {
			begin: func(t *testing.T, rdb *redis.Client) { t.Helper(); rdb.Do(t.Context(), "REPLICAOF", "127.0.0.1", "1") },
			end:   func(t *testing.T, rdb *redis.Client) { t.Helper(); rdb.Do(t.Context(), "REPLICAOF", "NO", "ONE") },
			says:  "is a read-only replica",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, rdb := realSite(t, c.args...)
			s.layer.Fault(layertest.Rule{Latency: layertest.Duration(300 * time.Millisecond)})
			const n = 20
			var all []*tasks.Info
			for range n {
				all = append(all, s.enqueue(t))
			}
			cmd, stderr := s.process(t, "LAYERQ_QUEUES=default=8")
			admin := stderr.adminURL(t)
			eventually(t, "calls are under way", func() bool { return s.layer.Stats().Requests >= 8 })
			c.begin(t, rdb)
			eventually(t, "the producer is told", func() bool {
				_, err := s.tasks.Enqueue(t.Context(), tasks.BlockUser{Owner: "alice", User: "mallory"}, tasks.Key("refused"))
				return err != nil && strings.Contains(err.Error(), c.says)
			})
			eventually(t, "not being ready", func() bool { status, _ := get(t, admin+"/readyz"); return status == 503 })
			c.end(t, rdb)
			eventually(t, "being ready", func() bool { status, _ := get(t, admin+"/readyz"); return status == 200 })
			eventually(t, "all are done", func() bool {
				for _, info := range all {
					now, err := s.tasks.Status(t.Context(), info.ID)
					if err != nil || now.State != tasks.StateCompleted {
						return false
					}
				}
				return true
			})
			for _, info := range all {
				if now, err := s.tasks.Status(t.Context(), info.ID); err != nil || now.Attempts != 1 {
					t.Errorf("%d attempts, %v", now.Attempts, err)
				}
			}
			if got := s.layer.Stats().Messages; got != n {
				t.Errorf("%d messages, want %d", got, n)
			}
			if lines := strings.Count(stderr.String(), "\n"); lines > 30 {
				t.Errorf("%d lines were logged:\n%s", lines, stderr.String())
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code := ended(t, cmd); code != console.Done {
				t.Errorf("exit %d: %s", code, stderr.String())
			}
		})
	}
}
