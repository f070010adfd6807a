package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// backlog enqueues messages, each to a conversation of its own.
func (s *site) backlog(t *testing.T, n int) []*tasks.Info {
	t.Helper()
	batch := make([]tasks.Request, n)
	for i := range batch {
		batch[i].Task = tasks.SendMessage{
			Conversation: s.layer.AddConversation("alice", "bob"), Sender: layer.Sender{UserID: "alice"},
			Parts: []tasks.Part{tasks.Text("hello " + strconv.Itoa(i))},
		}
	}
	results, err := s.tasks.EnqueueMany(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	infos := make([]*tasks.Info, n)
	for i, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		infos[i] = r.Info
	}
	return infos
}

// allDone waits for the tasks, and checks that none has lost more than the attempts.
func (s *site) allDone(t *testing.T, infos []*tasks.Info, attempts int) {
	t.Helper()
	for _, info := range infos {
		s.wait(t, info, tasks.StateCompleted)
		now, err := s.tasks.Status(t.Context(), info.ID)
		if err != nil || now.Attempts > attempts {
			t.Errorf("%+v, %v: want at most %d attempts", now, err, attempts)
		}
	}
}

func (s *site) held(t *testing.T) *tasks.QueueInfo {
	t.Helper()
	infos, err := s.tasks.Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &infos[1]
}

// Two processes, a Layer that is down, one of them killed meanwhile: few calls, nothing lost, and all done soon after.
func TestProcess_leaves_layer_alone_while_it_is_down(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]layertest.Rule{
		"503": {Status: 503}, "cut connections": {DropConnection: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.layer.Fault(fault)
			infos := s.backlog(t, 300)
			began := time.Now()
			first, log1 := s.process(t)
			_, log2 := s.process(t)
			admin := log2.adminURL(t)
			eventually(t, "the worker is held", func() bool {
				_, body := get(t, admin+"/metrics")
				return strings.Contains(body, `layerq_held{reason="outage"} 1`)
			})
			eventually(t, "both say so", func() bool {
				return strings.Contains(log1.String(), "layer is left alone") && strings.Contains(log2.String(), "layer is left alone")
			})
			eventually(t, "it shows", func() bool {
				q := s.held(t)
				_, body := get(t, admin+"/")
				return !q.Paused && q.Held != nil && strings.HasPrefix(q.Held.Reason, "outage: ") && strings.Contains(body, "held until") && strings.Contains(body, "The fleet asks by itself")
			})
			if status, body := get(t, admin+"/readyz"); status != 200 {
				t.Errorf("/readyz of a worker that is held: %d %s", status, body)
			}
			if err := first.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "some probes", func() bool { return time.Since(began) > 8*time.Second })
			if n := s.layer.Stats().Requests; n > 50 {
				t.Errorf("%d calls in the first %s", n, time.Since(began))
			}
			if err := s.layer.SetFaults(); err != nil {
				t.Fatal(err)
			}
			s.allDone(t, infos, 3)
			if n := s.layer.Stats().Messages; n != len(infos) {
				t.Errorf("%d messages of %d tasks", n, len(infos))
			}
			if !strings.Contains(log2.String(), "layer is asked again") || strings.Contains(log2.String(), "task archived") {
				t.Errorf("log\n%s", log2.String())
			}
		})
	}
}

// A token that is refused holds the worker; the file gets another one, and it goes on.
func TestRun_follows_the_file_of_its_token(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	write := func(name, token string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("token", "revoked-swordfish")
	env := append([]string{"LAYER_TOKEN_FILE=" + path}, s.env...)
	for i, setting := range env {
		if strings.HasPrefix(setting, "LAYER_TOKEN=") {
			env = append(env[:i], env[i+1:]...)
			break
		}
	}
	infos := s.backlog(t, 50)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() { code <- run(ctx, nil, env, &stdout, &stderr) }()
	eventually(t, "the worker is held", func() bool {
		q := s.held(t)
		return q.Held != nil && strings.HasPrefix(q.Held.Reason, "credentials: 401")
	})
	write("new", s.layer.Token())
	before := s.layer.Stats().Requests
	if before > 12 {
		t.Errorf("%d calls with a token that is refused", before)
	}
	if err := os.Rename(filepath.Join(dir, "new"), path); err != nil {
		t.Fatal(err)
	}
	changed := time.Now()
	s.allDone(t, infos, 2)
	if took := time.Since(changed); took > 10*time.Second {
		t.Errorf("done %s after the token was there", took)
	}
	cancel()
	if got := <-code; got != console.Done {
		t.Errorf("exit %d: %s", got, stderr.String())
	}
	for _, secret := range []string{"swordfish", s.layer.Token()} {
		if strings.Contains(stderr.String(), secret) {
			t.Errorf("the log tells the token:\n%s", stderr.String())
		}
	}
}

// Retry-After in both forms: silence, one probe, and all is done.
func TestRun_waits_as_long_as_layer_says(t *testing.T) {
	t.Parallel()
	for name, date := range map[string]bool{"seconds": false, "a date": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			once := 1
			s.layer.Fault(layertest.Rule{Status: 429, RetryAfter: layertest.Duration(3 * time.Second), RetryAfterDate: date, Count: &once})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var stdout, stderr output
			code := make(chan int, 1)
			go func() { code <- run(ctx, []string{"--queues=default=1"}, s.env, &stdout, &stderr) }()
			began := time.Now()
			infos := s.backlog(t, 20)
			eventually(t, "the worker is held", func() bool { return strings.Contains(stderr.String(), "reason=retry_after") })
			for time.Since(began) < 1500*time.Millisecond {
				if n := s.layer.Stats().Requests; n != 1 {
					t.Fatalf("%d calls while held", n)
				}
				<-time.After(10 * time.Millisecond)
			}
			s.allDone(t, infos, 2)
			cancel()
			<-code
		})
	}
}

// An operation that always fails, in the most important queue, when nothing else runs: it holds the fleet, but keeps it
// from nothing else.
func TestRun_is_not_stopped_by_a_broken_operation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.layer.Fault(layertest.Rule{Match: layertest.Match{Path: "/announcements$"}, Status: 500})
	for range 30 {
		announcement := tasks.SendAnnouncement{
			Sender: layer.Sender{Name: "news"}, Recipients: []string{"alice"}, Parts: []tasks.Part{tasks.Text("hello")},
		}
		if _, err := s.tasks.Enqueue(t.Context(), announcement, tasks.Queue("critical")); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() { code <- run(ctx, nil, s.env, &stdout, &stderr) }()
	eventually(t, "the worker is held", func() bool { return strings.Contains(stderr.String(), "layer is left alone") })
	s.allDone(t, s.backlog(t, 50), 1)
	cancel()
	<-code
}
