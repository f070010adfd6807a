package tasks

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

// Enqueue checks a task and its options and hands it over: from then on it is
// executed, or it ends in the archive with a reason. It is one round trip to
// Redis.
//
// A task that is there already under its dedupe UUID (see [Key] and [ID]), in
// whatever state and queue, is no error: the Info is that of the task found,
// with Duplicate set. The same UUID with another type or other args is a
// [*ConflictError]; other options do not make it another task.
//
// Errors: an [*InvalidError] names each field that is wrong, of the task by its
// path ("parts[0].body"), of the options as "key", "id", "queue", "in", "at",
// "expires", "lane" or "lane_stop_on_failure"; a [*RedisError] says that Redis could not be asked or refused.
func (c *Client) Enqueue(ctx context.Context, t Task, opts ...Option) (*Info, error) {
	p, err := c.prepare(t, opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	answers, err := c.store.Enqueue(ctx, []queue.Entry{p.entry})
	if err == nil {
		err = answers[0].Err
	}
	if err != nil {
		return nil, c.redisError(ctx, p.order.id, err)
	}
	return p.info(answers[0])
}

// prepared is a checked task on its way into the queue.
type prepared struct {
	order order
	entry queue.Entry
}

func (c *Client) prepare(t Task, opts []Option) (prepared, error) {
	if isNil(t) {
		return prepared{}, invalid("", &layer.FieldError{Field: "task", Problem: "is nil"})
	}
	now := c.now()
	o, err := resolve(t, now, opts)
	if err := errors.Join(t.Validate(), err); err != nil {
		return prepared{}, invalid(t.Type(), err)
	}
	if l, ok := t.(loader); ok {
		if t, err = l.load(c.shared); err != nil {
			return prepared{}, invalid(t.Type(), err)
		}
	}
	payload, err := Encode(t)
	if err != nil {
		return prepared{}, err
	}
	return prepared{order: o, entry: queue.Entry{
		Message:   c.message(t.Type(), payload, o, now),
		ProcessAt: o.processAt, Lane: o.lane, StopLane: o.stopLane,
	}}, nil
}

func (c *Client) message(taskType string, payload []byte, o order, now time.Time) *queue.Message {
	headers := map[string]string{queue.HeaderEnqueuedAt: queue.FormatTime(now)}
	if !o.expires.IsZero() {
		headers[queue.HeaderExpiresAt] = queue.FormatTime(o.expires)
	}
	return &queue.Message{
		Type:      taskType,
		Payload:   payload,
		Headers:   headers,
		ID:        o.id.String(),
		Queue:     o.queue,
		Retry:     queue.MaxRetry,
		Retention: int64(c.retention / time.Second),
	}
}

// info tells what became of a prepared task.
func (p prepared) info(a queue.Answer) (*Info, error) {
	m, existing := p.entry.Message, a.Existing
	if existing == nil {
		state := queue.Pending
		switch {
		case a.Waits:
			state = queue.Waiting
		case !p.entry.ProcessAt.IsZero():
			state = queue.Scheduled
		}
		return infoOf(&queue.Record{
			Message: m, State: state,
			EnqueuedAt: m.EnqueuedAt(), NextProcessAt: p.entry.ProcessAt,
		}), nil
	}
	found := infoOf(existing)
	found.Duplicate = true
	if !sameContent(m, existing.Message) {
		return nil, &ConflictError{ID: p.order.id, Type: m.Type, Existing: found}
	}
	return found, nil
}

// sameContent compares what a task does. Payloads of other producers need not
// be canonical.
func sameContent(a, b *queue.Message) bool {
	if a.Type != b.Type {
		return false
	}
	if string(a.Payload) == string(b.Payload) {
		return true
	}
	t, err := Decode(b.Type, b.Payload)
	if err != nil {
		return false
	}
	canonical, err := Encode(t)
	return err == nil && string(a.Payload) == string(canonical)
}

// isNil finds a nil pointer to a task, too: its methods would panic.
func isNil(t Task) bool {
	if t == nil {
		return true
	}
	v := reflect.ValueOf(t)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
