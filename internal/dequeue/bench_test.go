package dequeue_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// The benchmarks of this file run ours and bare asynq in one go:
//
//	REDIS_ADDR=127.0.0.1:6379 go test -run '^$' -bench . -benchtime 300x ./internal/dequeue

// engines start servers for all queues and return how to stop them.
var engines = []struct {
	name  string
	start func(rdb redis.UniversalClient, handle asynq.Handler) (stop func(), err error)
}{
	{"layerq", startOurs},
	{"asynq", startBare},
}

func startOurs(rdb redis.UniversalClient, handle asynq.Handler) (func(), error) {
	hook := dequeue.New(rdb, dequeue.Options{})
	rdb.AddHook(hook)
	var servers []*asynq.Server
	stop := func() {
		hook.Close()
		for _, srv := range servers {
			srv.Shutdown()
		}
	}
	for _, q := range queue.Names {
		cfg := dequeue.ServerConfig(q, 10)
		cfg.LogLevel = asynq.FatalLevel
		srv := asynq.NewServerFromRedisClient(rdb, cfg)
		if err := srv.Start(handle); err != nil {
			stop()
			return nil, err
		}
		servers = append(servers, srv)
	}
	return stop, nil
}

func startBare(rdb redis.UniversalClient, handle asynq.Handler) (func(), error) {
	srv := asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency: 10, LogLevel: asynq.FatalLevel,
		Queues: map[string]int{queue.Critical: 1, queue.Default: 1, queue.Bulk: 1},
	})
	return srv.Shutdown, srv.Start(handle)
}

// BenchmarkPickup measures how long it takes from the call that enqueues a
// task to the start of its handler in an idle worker that serves all queues.
func BenchmarkPickup(b *testing.B) {
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			worker, producer := redistest.New(b), redistest.New(b)
			started := make(chan time.Time, 1)
			stop, err := engine.start(worker, asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
				started <- time.Now()
				return nil
			}))
			if err != nil {
				b.Fatal(err)
			}
			defer stop()
			store, n := queue.NewStore(producer), b.N
			if engine.name == "asynq" {
				n = min(n, 40) // half a second each
			}
			took := make([]time.Duration, 0, n)
			for i := range n {
				<-time.After(20 * time.Millisecond) // idle again
				m := message(queue.Names[i%len(queue.Names)])
				began := time.Now()
				if _, err := store.Enqueue(b.Context(), []queue.Entry{{Message: m}}); err != nil {
					b.Fatal(err)
				}
				took = append(took, (<-started).Sub(began))
			}
			slices.Sort(took)
			report := func(name string, d time.Duration) { b.ReportMetric(float64(d.Microseconds())/1000, name) }
			report("p50-ms", took[n/2])
			report("p99-ms", took[n*99/100])
			report("max-ms", took[n-1])
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkIdleCommands measures what an idle worker with all queues asks of
// Redis; one iteration is a second of being idle, and -benchtime 45x gives a figure
// that stays. Nobody else may use the server meanwhile.
func BenchmarkIdleCommands(b *testing.B) {
	if !redistest.Real() {
		b.Skip("miniredis does not count commands: set " + redistest.EnvAddr)
	}
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			worker, counter := redistest.New(b), redistest.New(b)
			stop, err := engine.start(worker, asynq.HandlerFunc(succeed))
			if err != nil {
				b.Fatal(err)
			}
			defer stop()
			<-time.After(3 * time.Second) // connected, scripts loaded
			calls, before := commandCalls(b, counter)
			began := time.Now()
			<-time.After(time.Duration(b.N) * time.Second)
			callsNow, after := commandCalls(b, counter)
			seconds := time.Since(began).Seconds()
			b.ReportMetric(float64(after-before)/seconds, "commands/s")
			inner := 0
			for name, n := range callsNow {
				if !sent[name] {
					inner += n - calls[name]
				}
			}
			b.ReportMetric(float64(after-before-inner)/seconds, "sent/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// sent are the commands of idle servers that are not executed by scripts.
var sent = map[string]bool{"evalsha": true, "eval": true, "blmove": true, "zadd": true, "ping": true, "info": true, "hello": true, "client": true}

// commandCalls returns INFO's count of each command, and of all.
func commandCalls(b *testing.B, rdb redis.UniversalClient) (calls map[string]int, all int) {
	b.Helper()
	info, err := rdb.Info(b.Context(), "stats", "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	calls = make(map[string]int)
	for line := range strings.SplitSeq(info, "\r\n") {
		if n, ok := strings.CutPrefix(line, "total_commands_processed:"); ok {
			all, _ = strconv.Atoi(n)
		}
		if stat, ok := strings.CutPrefix(line, "cmdstat_"); ok {
			name, rest, _ := strings.Cut(stat, ":calls=")
			n, _, _ := strings.Cut(rest, ",")
			name, _, _ = strings.Cut(name, "|")
			v, _ := strconv.Atoi(n)
			calls[name] += v
		}
	}
	return calls, all
}

// BenchmarkThroughput measures a burn-down of tasks that do nothing, one queue.
func BenchmarkThroughput(b *testing.B) {
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			worker, producer := redistest.New(b), redistest.New(b)
			store, n := queue.NewStore(producer), b.N
			for n > 0 {
				batch := make([]queue.Entry, min(n, 1000))
				for i := range batch {
					batch[i].Message = message(queue.Default)
				}
				if _, err := store.Enqueue(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				n -= len(batch)
			}
			done := make(chan struct{}, b.N)
			b.ResetTimer()
			stop, err := engine.start(worker, asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
				done <- struct{}{}
				return nil
			}))
			if err != nil {
				b.Fatal(err)
			}
			for range b.N {
				<-done
			}
			b.StopTimer()
			stop()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}
