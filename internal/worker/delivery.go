package worker

import (
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/failpoint"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

// A delivery is one task as it was handed over, and what this execution adds to
// its counts.
type delivery struct {
	*dequeue.Delivery
	marked   bool // an earlier execution succeeded: its result is stored
	attempts int  // that Layer answered
	failures int  // that used up one of the attempts the task may have
	retries  int  // that failed and were to be repeated

	execution *execution // nil until there is one

	log *slog.Logger
}

func (p *pipeline) receive(d *dequeue.Delivery) *delivery {
	if failpoint.Without(failpoint.Crashes) {
		d.Attempts += d.Crashes
	}
	return &delivery{
		Delivery: d, marked: d.Result != nil, attempts: d.Attempts, failures: d.Failures, retries: d.Retries,
		log: p.log.With("task_id", wording.Cut(d.ID), "type", wording.Cut(d.Message.Type), "queue", d.Queue),
	}
}

// expiry is when the task must not be executed any more.
func (d *delivery) expiry() (*expiry, error) {
	e := &expiry{last: d.Message.ErrorMsg, now: d.Now}
	e.tried.Store(d.Deliveries > 1)
	if text, ok := d.Message.Headers[queue.HeaderExpiresAt]; ok {
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
	m := d.Message
	if m.Type == dequeue.UndecodableType {
		return uuid.Nil, nil, &undecodableError{"what is stored is no asynq task (" + m.Headers[dequeue.HeaderUndecodable] + ")"}
	}
	task, err := tasks.Decode(m.Type, m.Payload)
	if err != nil {
		return uuid.Nil, nil, err
	}
	id, err := uuid.Parse(d.ID)
	if err != nil || len(d.ID) != len(id.String()) {
		return uuid.Nil, nil, &undecodableError{"the task ID " + wording.Quote(d.ID) + " is no dedupe UUID (36 characters)"}
	}
	return id, task, nil
}
