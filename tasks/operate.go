package tasks

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/queue"
)

// Filter selects archived tasks. An empty field selects all.
type Filter struct {
	Queue string    // "critical", "default" or "bulk"
	Type  string    // such as "message:send"
	Code  string    // [Info.Code], such as "not_found"
	Since time.Time // archived then or later
}

// archivePage is how many tasks are read in one round trip at most.
const archivePage = 500

// Archived yields the archived tasks, queue by queue, those of a queue in the order in which
// they were archived: those that are there when the queue's turn comes, and that have not left
// the archive by the time they are read. The error, an [*InvalidError] or a [*RedisError], is the last
// that it yields.
func (c *Client) Archived(ctx context.Context, f Filter) iter.Seq2[*Info, error] {
	return func(yield func(*Info, error) bool) {
		queues := queue.Names
		if f.Queue != "" {
			if err := checkQueueName(f.Queue); err != nil {
				yield(nil, invalid("", err))
				return
			}
			queues = []string{f.Queue}
		}
		for _, q := range queues {
			ids, err := c.archivedIDs(ctx, q, f.Since)
			if err != nil {
				yield(nil, err)
				return
			}
			for len(ids) > 0 {
				records, err := c.records(ctx, q, ids[:min(len(ids), archivePage)])
				if err != nil {
					yield(nil, err)
					return
				}
				ids = ids[len(records):]
				for _, r := range records {
					if r == nil || r.State != queue.Archived {
						continue
					}
					if info := infoOf(r); f.matches(info) && !yield(info, nil) {
						return
					}
				}
			}
		}
	}
}

func (c *Client) archivedIDs(ctx context.Context, q string, since time.Time) ([]string, error) {
	const tolerance = time.Hour // of Redis' clock, by which tasks are archived, to ours
	pages := c.store.ArchivePages(q, since, c.now().Add(tolerance))
	var ids []string
	for more := true; more; {
		var page []string
		var err error
		if page, more, err = c.nextPage(ctx, pages); err != nil {
			return nil, err
		}
		ids = append(ids, page...)
	}
	return ids, nil
}

func (c *Client) nextPage(ctx context.Context, pages *queue.ArchivePages) (ids []string, more bool, err error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	if ids, more, err = pages.Next(ctx); err != nil {
		return nil, false, c.redisError(ctx, uuid.Nil, err)
	}
	return ids, more, nil
}

func (c *Client) records(ctx context.Context, q string, ids []string) ([]*queue.Record, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	records, err := c.store.Records(ctx, q, ids)
	if err != nil {
		return nil, c.redisError(ctx, uuid.Nil, err)
	}
	return records, nil
}

func (f Filter) matches(i *Info) bool {
	return (f.Type == "" || i.Type == f.Type) && (f.Code == "" || i.Code == f.Code) && (f.Since.IsZero() || !i.ArchivedAt.Before(f.Since))
}

// StateError says that a task is in a state in which it cannot be replayed, cancelled or
// deleted. Nothing was changed.
type StateError struct {
	Info *Info  // the task as it is; ID and State are always set
	Op   string // "replay", "cancel" or "delete"
}

func (e *StateError) Error() string {
	why := "only archived tasks are replayed"
	switch {
	case e.Info.State == StateActive:
		why = "a worker has it, and what it does may have taken effect; wait for its end"
	case e.Op == "cancel":
		why = "it is finished; see enqueue delete"
	}
	return fmt.Sprintf("tasks: %s %s: it is %s: %s", e.Op, e.Info.ID, e.Info.State, why)
}

// Replay runs an archived task again, under its dedupe UUID and with all its attempts, behind
// the others of its lane. What Layer did for it before, it does not do twice. The Info is the
// task as it is then. The error is a [*StateError] where the task is not archived, [ErrNotFound] or a [*RedisError].
func (c *Client) Replay(ctx context.Context, id uuid.UUID) (*Info, error) {
	info, err := c.Status(ctx, id)
	if err != nil {
		return nil, err
	}
	if info.State != StateArchived {
		return nil, &StateError{info, "replay"}
	}
	replayed, err := c.ReplayMany(ctx, []*Info{info})
	if err != nil {
		return nil, err
	}
	now, err := c.Status(ctx, id)
	if err == nil && !replayed[0] {
		return nil, &StateError{now, "replay"} // somebody was faster
	}
	return now, err
}

// ReplayMany runs archived tasks again in their order, as [Client.Replay], in one round trip for each queue. It tells of
// each whether it was archived and runs now; false is also one that an earlier replay has run. The error is
// a [*RedisError]: of the tasks that are not true some may run again all the same. Repeating is safe.
func (c *Client) ReplayMany(ctx context.Context, archived []*Info) ([]bool, error) {
	all := make([]bool, len(archived))
	for _, q := range queue.Names {
		var ids []string
		var places []int
		for i, info := range archived {
			if info.Queue == q {
				ids, places = append(ids, info.ID.String()), append(places, i)
			}
		}
		replayed, err := c.replay(ctx, q, ids)
		for i, runs := range replayed {
			all[places[i]] = runs
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func (c *Client) replay(ctx context.Context, q string, ids []string) ([]bool, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	replayed, err := c.store.Replay(ctx, q, ids)
	if err != nil {
		return replayed, c.redisError(ctx, uuid.Nil, err)
	}
	return replayed, nil
}

// Cancel removes a task that has not been executed for good: one that is pending, waiting, scheduled, or
// between two attempts. The next of its lane runs then. It returns the state that the task was in. The error is a
// [*StateError] where a worker has the task, or where it is finished, [ErrNotFound] or a [*RedisError].
//
// A task between two attempts may have taken effect, if the answer of an attempt was lost.
func (c *Client) Cancel(ctx context.Context, id uuid.UUID) (State, error) {
	return c.remove(ctx, id, "cancel", queue.Pending, queue.Waiting, queue.Scheduled, queue.Retry)
}

// Delete removes a task for good, with its result: a finished one, or what [Client.Cancel] takes. Its dedupe UUID is
// not recognised any more. It returns the state that the task was in. The error is a [*StateError] where a worker has
// the task, [ErrNotFound] or a [*RedisError].
func (c *Client) Delete(ctx context.Context, id uuid.UUID) (State, error) {
	return c.remove(ctx, id, "delete", queue.Pending, queue.Waiting, queue.Scheduled, queue.Retry, queue.Completed, queue.Archived)
}

func (c *Client) remove(ctx context.Context, id uuid.UUID, op string, in ...queue.State) (State, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	was, err := c.store.Remove(ctx, id.String(), in...)
	switch {
	case errors.Is(err, queue.ErrNotFound):
		return "", fmt.Errorf("tasks: %s: %w", id, ErrNotFound)
	case err != nil:
		return "", c.redisError(ctx, id, err)
	case !slices.Contains(in, was):
		return State(was), &StateError{&Info{ID: id, State: State(was)}, op}
	}
	return State(was), nil
}

// Pause stops a queue until [Client.Resume], for all workers: what they have they finish. It tells whether the queue was
// paused by hand before. The error is an [*InvalidError] for field "queue", or a [*RedisError].
func (c *Client) Pause(ctx context.Context, name string) (was bool, err error) {
	if err := checkQueueName(name); err != nil {
		return false, invalid("", err)
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	if was, err = c.store.Pause(ctx, name); err != nil {
		return false, c.redisError(ctx, uuid.Nil, err)
	}
	return was, nil
}

// Resume ends a pause by hand, and tells whether there was one. It does not end a hold: if there is one it is returned, and
// the queue goes on when that ends. The error is an [*InvalidError] for field "queue", or a [*RedisError].
func (c *Client) Resume(ctx context.Context, name string) (was bool, held *Hold, err error) {
	if err := checkQueueName(name); err != nil {
		return false, nil, invalid("", err)
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	was, hold, err := c.store.Resume(ctx, name)
	if err != nil {
		return false, nil, c.redisError(ctx, uuid.Nil, err)
	}
	return was, holdOf(hold), nil
}
