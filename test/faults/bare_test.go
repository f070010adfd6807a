//go:build faults && linux

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/failpoint"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/test/rig"
)

// asBareWorker makes the test binary a worker of the comparison: asynq as it comes, and the
// handler that one writes first.
const asBareWorker = "FAULTS_BARE_WORKER"

const bareType = "message"

// barePatience is how long after the fault a row of bare asynq may take to settle. It need not: what is not there by then
// counts as lost.
const barePatience = 3 * time.Minute

// bareMessage is the payload of the comparison.
type bareMessage struct {
	Conversation string `json:"conversation"` // the UUID
	Text         string `json:"text"`
}

func bareWorker() int {
	redisAddr := strings.TrimPrefix(os.Getenv("REDIS_URL"), "redis://")
	base := os.Getenv("LAYER_BASE_URL") + "/apps/" + layertest.DefaultAppID + "/conversations/"
	timeout, err := time.ParseDuration(os.Getenv(timeoutName))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	drain, err := time.ParseDuration(os.Getenv(drainName))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	client := &http.Client{Timeout: timeout}
	srv := asynq.NewServer(asynq.RedisClientOpt{Addr: redisAddr}, asynq.Config{
		Concurrency: slotsOf(os.Environ()),
		LogLevel:    asynq.FatalLevel,
		// What a worker of ours gets in the same row, too.
		ShutdownTimeout: drain,
		// asynq's own begins at 15 to 45 s: rows shall end.
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Second },
	})
	err = srv.Run(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		var m bareMessage
		if err := json.Unmarshal(t.Payload(), &m); err != nil {
			return err
		}
		failpoint.Reach(failpoint.BeforeCall, t.Payload())
		failpoint.Soon(failpoint.DuringCall)
		err := m.post(ctx, client, base)
		failpoint.Reach(failpoint.AfterCall, t.Payload())
		return err
	}))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// slotsOf reads how many tasks a worker of ours would take at a time: of the queue that the comparison has.
func slotsOf(env []string) int {
	n := 1
	for _, pair := range env {
		list, ok := strings.CutPrefix(pair, queuesName+"=")
		for q := range strings.SplitSeq(list, ",") {
			if text, found := strings.CutPrefix(q, queue.Default+"="); ok && found {
				n, _ = strconv.Atoi(text) // the suite's own number
			}
		}
	}
	return n
}

func (m bareMessage) post(ctx context.Context, client *http.Client, base string) error {
	body, err := json.Marshal(map[string]any{
		"sender": map[string]string{"name": "Shop"},
		"parts":  []map[string]string{{"mime_type": "text/plain", "body": m.Text}},
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+m.Conversation+"/messages", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
	req.Header.Set("Accept", "application/vnd.layer+json; version=1.0")
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

// enqueueBare hands the messages over as one does with asynq alone.
func (l *load) enqueueBare(addr string, over time.Duration) {
	l.site.t.Helper()
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: addr})
	defer client.Close()
	l.spread(over, func(ctx context.Context, jobs []*job) []error {
		errs := make([]error, len(jobs))
		abreast(len(jobs), func(i int) { errs[i] = jobs[i].enqueueBare(ctx, client, l.bare...) })
		return errs
	})
}

func (j *job) enqueueBare(ctx context.Context, client *asynq.Client, more ...asynq.Option) error {
	payload, err := json.Marshal(bareMessage{j.conversation.UUID().String(), j.text})
	if err != nil {
		return err
	}
	opts := append([]asynq.Option{asynq.Retention(24 * time.Hour)}, more...)
	switch {
	case !j.at.IsZero():
		opts = append(opts, asynq.ProcessAt(j.at))
	case j.in > 0:
		opts = append(opts, asynq.ProcessIn(j.in))
	}
	info, err := client.EnqueueContext(ctx, asynq.NewTask(bareType, payload), opts...)
	if err == nil {
		j.bareID = info.ID
	}
	return err
}

// produceBare enqueues the load one by one under its keys, as asynq lets one do: whoever comes second is told
// of the conflict.
func (l *load) produceBare() {
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: l.site.redis.Addr()})
	defer client.Close()
	for _, j := range l.jobs {
		twin := *j // the other producer has the job, too
		err := twin.enqueueBare(l.site.t.Context(), client, asynq.TaskID(j.id.String()))
		if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
			l.site.failf("%s: %v", j.key, err)
		}
	}
}

// balanceBare counts what is there. What asynq has archived is not lost.
func (s *site) balanceBare(l *load, b *books, seen map[*job]int) {
	s.t.Helper()
	archived := make(map[string]bool)
	for _, id := range rig.Read(s.t, s.redis.Client.ZRange(s.t.Context(), queue.ArchivedKey(queue.Default), 0, -1)) {
		archived[id] = true
	}
	for _, j := range l.accepted() {
		if seen[j] == 0 && archived[j.bareID] {
			b.Archived++
			continue
		}
		b.count(seen[j])
	}
}
