package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// A limit of one call an hour: the second task waits for its permit, which shows,
// and goes back when the worker stops, as it was.
func TestProcess_hands_back_what_waits_for_a_permit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cmd, stderr := s.process(t, "LAYERQ_RATE_LIMIT=1/1h")
	s.wait(t, s.enqueue(t), tasks.StateCompleted)
	second := s.enqueue(t)
	s.wait(t, second, tasks.StateActive)
	admin := stderr.adminURL(t)
	eventually(t, "the call waits", func() bool {
		_, body := get(t, admin+"/metrics")
		return strings.Contains(body, `layerq_permits_waiting{queue="default"} 1`)
	})
	for path, want := range map[string]string{
		"/metrics": "layerq_permits_in_use 1\n",
		"/":        "1 of 1/1h in use; calls that wait: 1, of queue critical: 0",
	} {
		eventually(t, path+" shows "+want, func() bool {
			_, body := get(t, admin+path)
			return strings.Contains(body, want)
		})
	}
	stop := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := ended(t, cmd); code != console.Done || time.Since(stop) > 10*time.Second {
		t.Errorf("exit %d after %s, want it long before the drain's 25 s: %s", code, time.Since(stop), stderr.String())
	}
	info, err := s.tasks.Status(t.Context(), second.ID)
	if err != nil || info.State != tasks.StatePending || info.Attempts != 0 || info.Error != "" {
		t.Errorf("the task is %+v, %v; want it pending as it was", info, err)
	}
	s.layer.WantRequests(t, 1)
}

// What is repeated within a call counts too, and so does a read.
func TestRun_takes_a_permit_for_every_attempt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.layer.RefuseNext(503)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--rate-limit", "2/1h", "--critical-reserve", "0%"}, s.env, &stdout, &stderr)
	}()
	s.wait(t, s.enqueue(t), tasks.StateCompleted)
	s.wait(t, s.enqueue(t), tasks.StateActive)
	admin := stderr.adminURL(t)
	eventually(t, "both permits are taken", func() bool {
		_, body := get(t, admin+"/")
		return strings.Contains(body, "2 of 2/1h in use; calls that wait: 1")
	})
	s.layer.WantRequests(t, 2)
	cancel()
	if got := <-code; got != console.Done {
		t.Errorf("exit %d: %s", got, stderr.String())
	}
}

// Queue critical does not wait for what others used up.
func TestRun_keeps_the_reserve_for_critical(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--rate-limit=2/1h", "--critical-reserve=50%"}, s.env, &stdout, &stderr)
	}()
	s.wait(t, s.enqueue(t), tasks.StateCompleted)
	s.wait(t, s.enqueue(t), tasks.StateActive)
	info, err := s.tasks.Enqueue(t.Context(), tasks.SendMessage{
		Conversation: s.layer.AddConversation("alice", "bob"), Sender: layer.Sender{UserID: "alice"},
		Parts: []tasks.Part{{MIMEType: "text/plain", Body: "hello"}},
	}, tasks.Queue("critical"))
	if err != nil {
		t.Fatal(err)
	}
	s.wait(t, info, tasks.StateCompleted)
	s.layer.WantRequests(t, 2)
	cancel()
	<-code
}

// The limit is found out in the embedded Redis as in a real one.
func TestRun_finds_the_limit_out(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.layer.SetRate(layertest.Rate{N: 5, Per: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--rate-limit=auto", "--retry-min=10ms", "--retry-max=100ms"}, s.env, &stdout, &stderr)
	}()
	var last *tasks.Info
	for range 15 {
		last = s.enqueue(t)
	}
	s.wait(t, last, tasks.StateCompleted)
	_, body := get(t, stderr.adminURL(t)+"/")
	if want := "/1s, found out in use"; !strings.Contains(body, want) || !strings.Contains(stderr.String(), "the rate limit is found out") {
		t.Errorf("the start page lacks %q, or the log says nothing:\n%s\n%s", want, body, stderr.String())
	}
	cancel()
	<-code
}
