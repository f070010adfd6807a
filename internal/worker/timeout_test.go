package worker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// A Layer that never answers: a task of any type that has outlived its time gives its slot to the next one, and runs again when
// its backoff is over, not beside itself.
func TestWorker_tasks_that_outlive_their_time_keep_no_slot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.Fault(layertest.Rule{Hang: true})
	var ids []string
	for _, info := range tasks.Types() {
		payload, err := os.ReadFile(filepath.Join("..", "..", "tasks", "testdata", "payload", strings.ReplaceAll(info.Type, ":", "_")+".golden.json"))
		if err != nil {
			t.Fatal(err)
		}
		task, err := tasks.Decode(info.Type, payload)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.enqueue(t, task, tasks.Unordered()).String())
	}
	p := r.worker(t, func(o *Options) {
		o.Queues = map[string]int{queue.Default: 2}
		o.Timeout, o.RetryMin, o.RetryMax = 50*time.Millisecond, 24*time.Hour, 24*time.Hour // so that none is over
	})
	rdb := redistest.New(t)
	for _, id := range ids {
		eventually(t, "the task waits for its next attempt", func() bool {
			return rdb.HGet(t.Context(), queue.TaskKey(queue.Default, id), "state").Val() == string(queue.Retry)
		})
		if n := rdb.HGet(t.Context(), queue.TaskKey(queue.Default, id), queue.FieldDeliveries).Val(); n != "1" {
			t.Errorf("task %s was delivered %s times", id, n)
		}
	}
	eventually(t, "every slot is free", func() bool { return p.InFlight(queue.Default) == 0 })
}
