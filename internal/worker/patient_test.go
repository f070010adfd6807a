package worker

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/redistest"
)

// replied is an error that Redis answers with.
type replied string

func (e replied) Error() string { return string(e) }
func (e replied) RedisError()   {}

func ackCommand(ctx context.Context) redis.Cmder {
	return redis.NewCmd(ctx, "evalsha", "digest", 4, "asynq:{default}:active", "asynq:{default}:lease", "asynq:{default}:t:x", "asynq:{default}:processed", "x")
}

func TestPatientAcks(t *testing.T) {
	t.Parallel()
	cut := &net.OpError{Op: "read", Err: errors.New("connection reset")}
	for _, c := range []struct {
		name      string
		answers   []error
		wantCalls int
		want      error
	}{
		{"answered", []error{nil}, 1, nil},
		{"answered after an outage", []error{cut, cut, replied("LOADING Redis is loading"), nil}, 4, nil},
		{"carried out, its answer lost", []error{cut, replied("NOT FOUND")}, 2, nil},
		{"no longer ours", []error{replied("NOT FOUND")}, 1, replied("NOT FOUND")},
		{"the script is to be sent whole", []error{replied("NOSCRIPT No matching script")}, 1, replied("NOSCRIPT No matching script")},
		{"the script is forgotten in a restart", []error{cut, replied("NOSCRIPT No matching script")}, 2, replied("NOSCRIPT No matching script")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				process := patientAcks{}.ProcessHook(func(context.Context, redis.Cmder) error {
					calls++
					return c.answers[calls-1]
				})
				if err := process(t.Context(), ackCommand(t.Context())); err != c.want || calls != c.wantCalls { //nolint:errorlint // it is returned as it is
					t.Errorf("%v after %d calls, want %v after %d", err, calls, c.want, c.wantCalls)
				}
			})
		})
	}
}

func TestPatientAcks_end_with_the_lease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		process := patientAcks{}.ProcessHook(func(context.Context, redis.Cmder) error { return errors.New("connection refused") })
		if err := process(ctx, ackCommand(ctx)); err == nil || time.Since(start) > 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// A hook that notes which commands are taken for acknowledgements.
type ackCounter struct {
	patientAcks

	mu   sync.Mutex
	acks int
}

func (c *ackCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil && isAck(cmd) {
			c.mu.Lock()
			c.acks++
			c.mu.Unlock()
		}
		return err
	}
}

// What asynq sends is recognised by its keys: this fails when a new version
// sends something else.
func TestIsAck_recognises_asynq(t *testing.T) {
	t.Parallel()
	rdb, counter := redistest.New(t), new(ackCounter)
	rdb.AddHook(counter)
	client := asynq.NewClientFromRedisClient(rdb)
	srv := asynq.NewServerFromRedisClient(rdb, asynq.Config{
		TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel, ShutdownTimeout: time.Millisecond, Concurrency: 5,
	})
	release := make(chan struct{})
	if err := srv.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		switch task.Type() {
		case "retry":
			return errors.New("again")
		case "archive":
			return asynq.SkipRetry
		case "requeue":
			<-release
		}
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	for _, taskType := range []string{"done", "retry", "archive", "requeue"} {
		if _, err := client.Enqueue(asynq.NewTask(taskType, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Enqueue(asynq.NewTask("complete", nil), asynq.Retention(time.Hour)); err != nil {
		t.Fatal(err)
	}
	inspector := asynq.NewInspectorFromRedisClient(redistest.New(t))
	eventually(t, "one task is left", func() bool {
		info, err := inspector.GetQueueInfo("default")
		return err == nil && info.Active == 1 && info.Completed == 1 && info.Retry == 1 && info.Archived == 1
	})
	srv.Shutdown()
	close(release)
	counter.mu.Lock()
	defer counter.mu.Unlock()
	if counter.acks != 5 {
		t.Errorf("of 5 acknowledgements %d were recognised", counter.acks)
	}
}
