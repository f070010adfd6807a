package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/internal/redisurl"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
	}
	redisurl.Quiet()
	goleak.VerifyTestMain(m)
}

// outcome is what a run of the command left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// cli runs the command against the Redis of a test.
type cli struct {
	t   testing.TB
	env []string
}

func newCLI(t testing.TB) *cli {
	t.Helper()
	return &cli{t: t, env: []string{"REDIS_URL=" + redistest.URL(t)}}
}

// run runs it without input.
func (c *cli) run(args ...string) outcome { return c.runWith("", args...) }

// runWith runs it with standard input.
func (c *cli) runWith(stdin string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := run(c.t.Context(), args, strings.NewReader(stdin), &stdout, &stderr, c.env)
	return outcome{code, stdout.String(), stderr.String()}
}

// want fails the test unless the command ended with code.
func (c *cli) want(code int, args ...string) outcome {
	c.t.Helper()
	got := c.run(args...)
	if got.code != code {
		c.t.Fatalf("enqueue %q: exit %d, want %d\nstdout: %s\nstderr: %s", args, got.code, code, got.stdout, got.stderr)
	}
	return got
}

// keys counts what is in the Redis of a test.
func (c *cli) keys() int {
	c.t.Helper()
	keys, err := redistest.New(c.t).Keys(context.WithoutCancel(c.t.Context()), "*").Result()
	if err != nil {
		c.t.Fatal(err)
	}
	return len(keys)
}

// work processes tasks as a worker would: results are those of answer, and what
// it refuses is archived.
func work(t testing.TB, answer func(*asynq.Task) ([]byte, error)) {
	t.Helper()
	opts, err := redis.ParseURL(redistest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	queues := map[string]int{}
	for _, name := range queue.Names {
		queues[name] = 1
	}
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: opts.Addr, DB: opts.DB}, asynq.Config{
		Concurrency: 2, Queues: queues, TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel,
	})
	err = server.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		result, err := answer(task)
		if err != nil {
			return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
		}
		_, err = task.ResultWriter().Write(result)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
}

// conversation is one that nobody needs to have.
const conversation = "7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c"

// brokenWriter is a standard output that is a full disk.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestResultsThatCannotBeWrittenAreAFailure(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"types"}, strings.NewReader(""), brokenWriter{}, &stderr, nil)
	if code != console.Failed || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("exit %d, stderr %q", code, stderr.String())
	}
}

// message returns a task as it lies in the test's Redis.
func (c *cli) message(id string) *queue.Message {
	c.t.Helper()
	record, err := queue.NewStore(redistest.New(c.t)).Find(c.t.Context(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	return record.Message
}
