package worker

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// Whatever is in the queue, it is a task, or archived with a reason that asynq
// can store.
func FuzzDelivery(f *testing.F) {
	id := uuid.NewString()
	f.Add(id, tasks.TypeBlockUser, []byte(validBlock), "")
	f.Add(id, tasks.TypeBlockUser+"_all", []byte("\xff"), "2026-01-02T03:04:05Z")
	f.Add("order-4711", tasks.TypeSendMessage, []byte(`{"v":1,"args":{}}`), "tomorrow")
	f.Fuzz(func(t *testing.T, id, taskType string, payload []byte, expires string) {
		m := &queue.Message{Type: taskType, Payload: payload, Headers: map[string]string{queue.HeaderExpiresAt: expires}}
		d := &delivery{Delivery: dequeue.NewDelivery(queue.Default, queue.Taken{ID: id, Deliveries: 1}, m, nil, time.Now())}
		dedupe, task, err := d.decode()
		if err == nil && (task == nil || dedupe.String() != strings.ToLower(id) || task.Validate() != nil) {
			t.Errorf("decoded %v under %v", task, dedupe)
		}
		_, wrong := d.expiry()
		for _, err := range []error{err, wrong} {
			if err == nil {
				continue
			}
			if v := decide(err); v.outcome != archive || v.counts {
				t.Errorf("%v: %v", err, v)
			}
			if reason := reasonOf(err); reason == "" || !utf8.ValidString(reason) || len(reason) > maxReason+len("…") {
				t.Errorf("reason %q", reason)
			}
		}
	})
}
