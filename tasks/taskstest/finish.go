package taskstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// take takes the task that was enqueued first of those that may run, as a worker takes
// one of a queue. There is none left where ok is false.
func (r *Recorder) take(ctx context.Context) (taken queue.Taken, m *queue.Message, ok bool, err error) {
	records, err := r.records(ctx)
	if err != nil {
		return queue.Taken{}, nil, false, err
	}
	var queues []string // the first to be looked at first
	for _, rec := range records {
		later := rec.NextProcessAt.After(time.Now())
		if !tasks.State(rec.State).Final() && !later && !slices.Contains(queues, rec.Message.Queue) {
			queues = append(queues, rec.Message.Queue)
		}
	}
	for _, q := range queues {
		taken, err = r.store.Take(ctx, q, false)
		if err != nil {
			return queue.Taken{}, nil, false, fmt.Errorf("take from %s: %w", q, err)
		}
		if taken.Found == queue.FoundTask {
			m, err = queue.DecodeMessage([]byte(taken.Message))
			return taken, m, true, err
		}
	}
	return queue.Taken{}, nil, false, nil
}

// makeDue lets the time of all scheduled tasks come.
func (r *Recorder) makeDue(ctx context.Context) error {
	records, err := r.records(ctx)
	if err != nil {
		return err
	}
	for _, rec := range records {
		if rec.State != queue.Scheduled {
			continue
		}
		if err := r.rdb.ZAddXX(ctx, queue.ScheduledKey(rec.Message.Queue), redis.Z{Score: 1, Member: rec.Message.ID}).Err(); err != nil {
			return fmt.Errorf("make %s due: %w", rec.Message.ID, err)
		}
	}
	return nil
}

// complete ends the delivery of a task that was executed.
func (r *Recorder) complete(ctx context.Context, taken queue.Taken, m *queue.Message, result tasks.Result) error {
	encoded, err := json.Marshal(result)
	if err != nil {
		return err
	}
	now := time.Now()
	m.CompletedAt = now.Unix()
	return r.settle(ctx, taken, m, queue.VerdictDone,
		queue.FieldResult, encoded, queue.FieldAttempts, taken.Attempts+1, queue.FieldDoneAt, queue.FormatTime(now))
}

// archive ends the delivery of a task that is given up.
func (r *Recorder) archive(ctx context.Context, taken queue.Taken, m *queue.Message, failure error) error {
	attempts, code := taken.Attempts, "invalid"
	switch {
	case layer.Answered(failure):
		attempts, code = attempts+1, string(layer.CodeOf(failure))
	case errors.Is(failure, errExpired):
		code = "expired"
	}
	m.ErrorMsg, m.LastFailedAt = failure.Error(), time.Now().Unix()
	return r.settle(ctx, taken, m, queue.VerdictArchive, queue.FieldAttempts, attempts, queue.FieldCode, code)
}

func (r *Recorder) settle(ctx context.Context, taken queue.Taken, m *queue.Message, v queue.Verdict, fields ...any) error {
	_, err := r.store.Settle(ctx, queue.Settlement{
		Delivery: taken.Delivery(),
		Queue:    m.Queue, Verdict: v, Message: m, Fields: fields, Counts: true, Now: time.Now(),
	})
	return err
}
