package worker

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// A server is a redis-server process of the test's own, which may be killed.
type server struct {
	dir  string
	port int
	cmd  *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	s := &server{dir: t.TempDir()}
	s.port, _ = strconv.Atoi(port)
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir,
		"--appendonly", "yes", "--appendfsync", "always", "--save", "")
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process at once, as kill -9 does.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *server) client(t *testing.T) redis.UniversalClient {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + strconv.Itoa(s.port)})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// A Redis that is killed forgets scripts and connections, and keeps tasks.
func TestRestart_of_a_real_Redis(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-server"); err != nil || !redistest.Real() {
		t.Skip("needs a redis-server to kill; runs where " + redistest.EnvAddr + " is set")
	}
	s := newServer(t)
	r := newRig(t)
	producer, err := tasks.NewClientFromRedis(s.client(t))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "Redis is up", func() bool { return producer.Ping(t.Context()) == nil })
	r.tasks = producer
	r.layer.Fault(layertest.Rule{Latency: layertest.Duration(300 * time.Millisecond)})
	p := r.worker(t, func(o *Options) { o.Redis, o.Status = s.client(t), s.client(t) })

	var texts []string
	for i := range 40 {
		texts = append(texts, fmt.Sprintf("message %d", i))
		r.enqueue(t, r.say(texts[i]))
	}
	// Every slot is taken: calls are under way, and no answer of Redis.
	eventually(t, "calls are under way", func() bool { return p.InFlight("default") == 8 })
	s.kill()
	within(t, 5*time.Second, "not being ready", func() bool { return len(p.Ready(t.Context())) > 0 })
	s.start(t)
	within(t, 5*time.Second, "being ready", func() bool { return len(p.Ready(t.Context())) == 0 })
	eventually(t, "all are done", func() bool {
		queues, err := producer.Queues(t.Context())
		return err == nil && len(queues) == 3 && queues[1].Completed == len(texts)
	})
	if stats := r.layer.Stats(); stats.Messages != len(texts) {
		t.Errorf("%d messages, want %d", stats.Messages, len(texts))
	}
	if lines := strings.Count(p.log.String(), "\n"); lines > 20 {
		t.Errorf("%d lines were logged:\n%s", lines, p.log.String())
	}
}
