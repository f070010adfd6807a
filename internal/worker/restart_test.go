package worker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// A Redis that is killed forgets scripts and connections, and keeps tasks.
func TestRestart_of_a_real_Redis(t *testing.T) {
	t.Parallel()
	s := redistest.NewServer(t, "--appendonly", "yes", "--appendfsync", "always")
	client := func() redis.UniversalClient {
		rdb := redis.NewClient(&redis.Options{Addr: s.Addr})
		t.Cleanup(func() { _ = rdb.Close() })
		return rdb
	}
	r := newRig(t)
	producer, err := tasks.NewClientFromRedis(client())
	if err != nil {
		t.Fatal(err)
	}
	r.tasks = producer
	r.layer.Fault(layertest.Rule{Latency: layertest.Duration(300 * time.Millisecond)})
	p := r.worker(t, func(o *Options) { o.Redis, o.Status = client(), client() })

	var texts []string
	for i := range 40 {
		texts = append(texts, fmt.Sprintf("message %d", i))
		r.enqueue(t, r.say(texts[i]), tasks.Unordered())
	}
	// Every slot is taken: calls are under way, and no answer of Redis.
	eventually(t, "calls are under way", func() bool { return p.InFlight("default") == 8 })
	s.Kill()
	within(t, 5*time.Second, "not being ready", func() bool { return len(p.Ready(t.Context())) > 0 })
	s.Start(t)
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
