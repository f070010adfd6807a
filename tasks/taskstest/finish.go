package taskstest

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

// complete writes what a worker leaves of a task that it has executed.
func (r *Recorder) complete(ctx context.Context, rec *queue.Record, result []byte) error {
	now := time.Now()
	m := rec.Message
	m.CompletedAt = now.Unix()
	return r.finish(ctx, m, func(p redis.Pipeliner) {
		p.HSet(ctx, queue.TaskKey(m.Queue, m.ID), "msg", m.Encode(), "state", string(queue.Completed),
			queue.FieldResult, result, queue.FieldAttempts, rec.Attempts+1, queue.FieldDoneAt, queue.FormatTime(now))
		p.ZAdd(ctx, queue.CompletedKey(m.Queue), redis.Z{Score: float64(m.CompletedAt + m.Retention), Member: m.ID})
	})
}

// archive writes what a worker leaves of a task that it has given up.
func (r *Recorder) archive(ctx context.Context, rec *queue.Record, failure error) error {
	now := time.Now()
	attempts := rec.Attempts
	if layer.Answered(failure) {
		attempts++
	}
	m := rec.Message
	m.ErrorMsg, m.LastFailedAt = failure.Error(), now.Unix()
	return r.finish(ctx, m, func(p redis.Pipeliner) {
		p.HSet(ctx, queue.TaskKey(m.Queue, m.ID), "msg", m.Encode(), "state", string(queue.Archived), queue.FieldAttempts, attempts)
		p.ZAdd(ctx, queue.ArchivedKey(m.Queue), redis.Z{Score: float64(now.Unix()), Member: m.ID})
	})
}

// finish takes the task from where it waited and puts it elsewhere, at once.
func (r *Recorder) finish(ctx context.Context, m *queue.Message, put func(redis.Pipeliner)) error {
	_, err := r.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		key := queue.TaskKey(m.Queue, m.ID)
		p.LRem(ctx, queue.PendingKey(m.Queue), 0, m.ID)
		p.ZRem(ctx, queue.ScheduledKey(m.Queue), m.ID)
		p.HDel(ctx, key, "pending_since")
		put(p)
		return nil
	})
	return err
}
