//go:build faults && linux

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/layer/layertest"
)

// asBareWorker makes the test binary a worker of the comparison: asynq as it comes, and the
// handler that one writes first.
const asBareWorker = "FAULTS_BARE_WORKER"

const bareType = "message"

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
	client := &http.Client{Timeout: timeout}
	srv := asynq.NewServer(asynq.RedisClientOpt{Addr: redisAddr}, asynq.Config{
		Concurrency: 32,
		LogLevel:    asynq.FatalLevel,
		// The one setting that is not asynq's own, which begins at 15 to 45 s: rows shall end.
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Second },
	})
	err = srv.Run(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		var m bareMessage
		if err := json.Unmarshal(t.Payload(), &m); err != nil {
			return err
		}
		return m.post(ctx, client, base)
	}))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
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
		for i, j := range jobs {
			payload, err := json.Marshal(bareMessage{j.conversation.UUID().String(), j.text})
			if err == nil {
				_, err = client.EnqueueContext(ctx, asynq.NewTask(bareType, payload), asynq.Retention(24*time.Hour))
			}
			errs[i] = err
		}
		return errs
	})
}
