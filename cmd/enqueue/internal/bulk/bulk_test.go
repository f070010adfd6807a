package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/layerq/layerq/cmd/enqueue/internal/bulk"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/tasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newJob returns a job on the Redis of t, and what it rejects.
func newJob(t testing.TB) (*bulk.Job, *[]bulk.Rejected) {
	t.Helper()
	client, err := tasks.NewClientFromRedis(redistest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	rejected := &[]bulk.Rejected{}
	return &bulk.Job{
		Queue:    client,
		Rejected: func(r bulk.Rejected) { *rejected = append(*rejected, r) },
		Log:      slog.New(slog.DiscardHandler),
		Patience: time.Minute,
	}, rejected
}

// run runs the job over a stream and returns its summary.
func run(t testing.TB, j *bulk.Job, stream string) bulk.Summary {
	t.Helper()
	sum, err := j.Run(t.Context(), strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func want(t testing.TB, got, want bulk.Summary) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(bulk.Summary{}, "Seconds")); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func block(user string) string {
	return `{"type":"user:block","args":{"owner":"alice","user":"` + user + `"}}` + "\n"
}

// blocks is a stream of n lines, all of them different.
func blocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(block(fmt.Sprintf("u%d", i)))
	}
	return b.String()
}

func TestRunTwice(t *testing.T) {
	t.Parallel()
	j, rejected := newJob(t)
	stream := blocks(620) + block("u5") + block("u5") + "nonsense\n"
	want(t, run(t, j, stream), bulk.Summary{Read: 623, Enqueued: 622, Invalid: 1})
	want(t, run(t, j, stream), bulk.Summary{Read: 623, Duplicate: 622, Invalid: 1})
	if len(*rejected) != 2 || (*rejected)[0].Line != 623 {
		t.Errorf("rejected %v", *rejected)
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		stream string
		want   bulk.Summary
		lines  []int // that are rejected
	}{
		{"nothing", "", bulk.Summary{}, nil},
		{"blank lines alone", "\n \r\n\t\n", bulk.Summary{}, nil},
		{"no end of the last line", block("a") + strings.TrimSpace(block("b")), bulk.Summary{Read: 2, Enqueued: 2}, nil},
		{"CRLF", strings.ReplaceAll(block("a")+"nonsense\n"+block("b"), "\n", "\r\n"), bulk.Summary{Read: 3, Enqueued: 2, Invalid: 1}, []int{2}},
		{"a byte order mark", "\ufeff" + block("a"), bulk.Summary{Read: 1, Enqueued: 1}, nil},
		{"a byte order mark in the middle", block("a") + "\ufeff" + block("b"), bulk.Summary{Read: 2, Enqueued: 1, Invalid: 1}, []int{2}},
		{"blank lines count as lines", "\n\n" + block("a") + "\nnonsense", bulk.Summary{Read: 2, Enqueued: 1, Invalid: 1}, []int{5}},
		{"a line without end", block("a") + strings.Repeat("x", bulk.MaxLine+1) + "\n" + block("b"), bulk.Summary{Read: 3, Enqueued: 2, Invalid: 1}, []int{2}},
		{"a last line without end", block("a") + strings.Repeat("x", bulk.MaxLine+1), bulk.Summary{Read: 2, Enqueued: 1, Invalid: 1}, []int{2}},
		{"invalid lines alone", strings.Repeat("x\n", 1001), bulk.Summary{Read: 1001, Invalid: 1001}, nil},
		{"the same key twice", strings.Repeat(`{"type":"user:block","args":{"owner":"a","user":"b"},"key":"k"}`+"\n", 2), bulk.Summary{Read: 2, Enqueued: 1, Duplicate: 1}, nil},
		{
			"the same key with other args",
			`{"type":"user:block","args":{"owner":"a","user":"b"},"key":"k"}` + "\n" + `{"type":"user:block","args":{"owner":"a","user":"c"},"key":"k"}`,
			bulk.Summary{Read: 2, Enqueued: 1, Failed: 1},
			[]int{2},
		},
		{"lines that are wrong here and there, in their order", `{"type":"user:block","args":{"owner":"a","user":"b"},"queue":"urgent"}` + "\nnonsense\n" + block("c") + block(""), bulk.Summary{Read: 4, Enqueued: 1, Invalid: 3}, []int{1, 2, 4}},
		{"options that are wrong", `{"type":"user:block","args":{"owner":"a","user":"b"},"queue":"urgent"}` + "\n" + block("c"), bulk.Summary{Read: 2, Enqueued: 1, Invalid: 1}, []int{1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			j, rejected := newJob(t)
			want(t, run(t, j, tc.stream), tc.want)
			var lines []int
			for _, r := range *rejected {
				lines = append(lines, r.Line)
			}
			if tc.lines != nil && !cmp.Equal(tc.lines, lines) {
				t.Errorf("rejected %v, want lines %v", *rejected, tc.lines)
			}
		})
	}
}

func TestUTF16IsNamed(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	if _, err := j.Run(t.Context(), strings.NewReader("\xff\xfe{\x00")); !errors.Is(err, bulk.ErrUTF16) {
		t.Errorf("got %v", err)
	}
}

func TestDefaultsAreForLinesThatDoNotSay(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	j.Options = []tasks.Option{tasks.Queue("bulk"), tasks.In(time.Hour)}
	stream := block("a") + `{"type":"user:block","args":{"owner":"alice","user":"b"},"queue":"critical","key":"k"}`
	want(t, run(t, j, stream), bulk.Summary{Read: 2, Enqueued: 2})
	client, _ := j.Queue.(*tasks.Client)
	queues, err := client.Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if queues[0].Scheduled != 1 || queues[1].Scheduled != 0 || queues[2].Scheduled != 1 {
		t.Errorf("got %+v", queues)
	}
}

func TestCheckEnqueuesNothing(t *testing.T) {
	t.Parallel()
	j, rejected := newJob(t)
	stream := blocks(700) + `{"type":"user:block","args":{"owner":"a","user":"b"},"key":""}` + "\n" + "nonsense"
	sum, err := j.Check(t.Context(), strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	want(t, sum, bulk.Summary{Read: 702, Invalid: 2})
	if len(*rejected) != 2 {
		t.Errorf("rejected %v", *rejected)
	}
	if keys := redistest.New(t).Keys(t.Context(), "*").Val(); len(keys) != 0 {
		t.Errorf("%d keys are in Redis", len(keys))
	}
}

// A stream that goes on is enqueued line by line: nothing waits for a full batch.
func TestLinesThatComeOneByOne(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	in, lines := io.Pipe()
	var done atomic.Int64
	j.Progress = func(_ int64, n int) { done.Store(int64(n)) }
	finished := make(chan bulk.Summary)
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	go func() {
		sum, err := j.Run(context.WithoutCancel(t.Context()), in)
		if err != nil {
			t.Error(err)
		}
		finished <- sum
	}()
	for i := range 3 {
		if _, err := io.WriteString(lines, block(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); done.Load() < int64(i+1); <-poll.C {
			if time.Now().After(deadline) {
				t.Fatalf("%d lines are done, want %d", done.Load(), i+1)
			}
		}
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, <-finished, bulk.Summary{Read: 3, Enqueued: 3})
}

// slow is a Redis whose first answer is long in coming.
type slow struct {
	bulk.Enqueuer
	asked, answer chan struct{}
	calls         int
}

func (s *slow) EnqueueMany(ctx context.Context, requests []tasks.Request) ([]tasks.Answer, error) {
	if s.calls++; s.calls == 1 {
		close(s.asked)
		<-s.answer
	}
	return s.Enqueuer.EnqueueMany(ctx, requests)
}

// A line that comes while Redis is busy, and is the last for a long time, does not
// wait for the next one: nor does one of which the next is there in part.
func TestALineThatComesWhileRedisIsBusy(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	redis := &slow{Enqueuer: j.Queue, asked: make(chan struct{}), answer: make(chan struct{})}
	j.Queue = redis
	in, lines := io.Pipe()
	both := make(chan struct{})
	j.Progress = func(_ int64, n int) {
		if n == 2 {
			close(both)
		}
	}
	finished := make(chan bulk.Summary)
	go func() {
		sum, err := j.Run(context.WithoutCancel(t.Context()), in)
		if err != nil {
			t.Error(err)
		}
		finished <- sum
	}()
	third := block("c")
	for _, text := range []string{block("a"), block("b") + third[:9]} {
		if _, err := io.WriteString(lines, text); err != nil {
			t.Fatal(err)
		}
		<-redis.asked
	}
	close(redis.answer)
	<-both
	if _, err := io.WriteString(lines, third[9:]); err != nil {
		t.Fatal(err)
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, <-finished, bulk.Summary{Read: 3, Enqueued: 3})
}

func TestInterruptedRunsAddUp(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	stream := blocks(2500)
	enqueued := 0
	for range 3 {
		ctx, interrupt := context.WithCancel(t.Context())
		j.Progress = func(_ int64, lines int) {
			if lines > enqueued+300 {
				interrupt()
			}
		}
		sum, err := j.Run(ctx, strings.NewReader(stream))
		interrupt()
		if !errors.Is(err, context.Canceled) || sum.Read != sum.Enqueued+sum.Duplicate || sum.Duplicate != enqueued {
			t.Errorf("got %+v, %v", sum, err)
		}
		enqueued += sum.Enqueued
	}
	j.Progress = nil
	want(t, run(t, j, stream), bulk.Summary{Read: 2500, Enqueued: 2500 - enqueued, Duplicate: enqueued})
}

func TestAStreamThatBreaks(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	broken := errors.New("connection reset")
	sum, err := j.Run(t.Context(), io.MultiReader(strings.NewReader(blocks(3)), brokenReader{broken}))
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	want(t, sum, bulk.Summary{Read: 3, Enqueued: 3})
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }
