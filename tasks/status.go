package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/queue"
)

// Status returns what is known of a task, in whichever queue it is. The error
// is [ErrNotFound] where there is none, or a [*RedisError].
func (c *Client) Status(ctx context.Context, id uuid.UUID) (*Info, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	found, err := c.store.Find(ctx, id.String())
	if errors.Is(err, queue.ErrNotFound) {
		return nil, fmt.Errorf("tasks: %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, c.redisError(ctx, id, err)
	}
	return infoOf(found), nil
}

// infoOf turns what Redis holds of a task into what people read.
func infoOf(r *queue.Record) *Info {
	// Only tasks of other producers have an ID that is no UUID; they stay zero.
	id, _ := uuid.Parse(r.Message.ID)
	info := &Info{
		ID:            id,
		Type:          r.Message.Type,
		Queue:         r.Message.Queue,
		State:         State(r.State),
		Attempts:      r.Attempts,
		EnqueuedAt:    utc(r.EnqueuedAt),
		NextAttemptAt: utc(r.NextProcessAt),
		CompletedAt:   utc(r.CompletedAt),
		ArchivedAt:    utc(r.ArchivedAt),
		Result:        resultOf(r.Result),
		Error:         r.Message.ErrorMsg,
		Code:          r.Code,
	}
	if info.State == StateCompleted {
		info.Error = "" // of an attempt before the one that succeeded
	}
	return info
}

// resultOf leaves out a result that says nothing, and one that a handler of
// another program wrote in a form of its own.
func resultOf(b []byte) json.RawMessage {
	if len(b) == 0 || string(b) == "{}" || !json.Valid(b) {
		return nil
	}
	return json.RawMessage(b)
}

// utc cuts what differs between machines: the zone and the monotonic clock.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0)
}
