package worker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// A delivery is one task as asynq handed it over, with what its hash held beside
// the message.
type delivery struct {
	id       string // asynq's task ID: the dedupe UUID, unless somebody else enqueued it
	taskType string
	queue    string
	payload  []byte
	headers  map[string]string

	marked     bool // an earlier execution succeeded: its result is stored
	attempts   int  // that Layer answered, before this one
	failures   int  // that used up one of the attempts the task may have
	deliveries int  // this one included
	lastError  string

	log *slog.Logger
}

func (p *pipeline) receive(ctx context.Context, t *asynq.Task) *delivery {
	d := &delivery{taskType: t.Type(), payload: t.Payload(), headers: t.Headers(), deliveries: 1}
	d.id, _ = asynq.GetTaskID(ctx)
	d.queue, _ = asynq.GetQueueName(ctx)
	if side, ok := p.hook.Delivery(d.id); ok {
		d.marked = side.Result != nil
		d.attempts, d.failures, d.deliveries = side.Attempts, side.Failures, side.Deliveries
		d.lastError = side.LastError
	}
	d.log = p.log.With("task_id", d.id, "type", d.taskType, "queue", d.queue)
	return d
}

// expiry is when the task must not be executed any more.
func (d *delivery) expiry() (*expiry, error) {
	e := &expiry{last: d.lastError}
	e.tried.Store(d.deliveries > 1)
	if text, ok := d.headers[queue.HeaderExpiresAt]; ok {
		var err error
		if e.at, err = queue.ParseTime(text); err != nil {
			return nil, &undecodableError{fmt.Sprintf("header %s is not a time in RFC 3339", queue.HeaderExpiresAt)}
		}
	}
	return e, nil
}

// decode returns the task and its dedupe UUID. Types are compared as a whole,
// and the payload must be exactly what the type takes.
func (d *delivery) decode() (uuid.UUID, tasks.Task, error) {
	if d.taskType == dequeue.UndecodableType {
		return uuid.Nil, nil, &undecodableError{"what is stored is no asynq task (" + d.headers[dequeue.HeaderUndecodable] + ")"}
	}
	task, err := tasks.Decode(d.taskType, d.payload)
	if err != nil {
		return uuid.Nil, nil, err
	}
	id, err := uuid.Parse(d.id)
	if err != nil || d.id != id.String() {
		return uuid.Nil, nil, &undecodableError{"the task ID is no dedupe UUID (36 characters, lower case)"}
	}
	return id, task, nil
}
