package worker

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// A recorder writes beside a task what an execution came to. It is patient: a
// short failure of Redis must not make a worker forget that the effect took
// place.
type recorder struct {
	rdb      redis.UniversalClient
	patience time.Duration   // how long one record is tried
	cutoff   context.Context // of the drain: from then on there is little time left
	log      *slog.Logger
}

// record sets fields of a task's hash if there still is one: writing them alone
// would leave behind a hash that nobody ever deletes.
var record = redis.NewScript(`
if redis.call("EXISTS", KEYS[1]) == 0 then
	return 0
end
redis.call("HSET", KEYS[1], unpack(ARGV))
return 1`)

// success keeps the result, which also marks the task as done, the number of
// attempts and the time, in one round trip.
func (r *recorder) success(ctx context.Context, d *delivery, result tasks.Result) {
	encoded, err := json.Marshal(result)
	if err != nil {
		// A result is made of ids: this cannot happen. If it did, the task would
		// be done all the same.
		encoded = []byte("{}")
	}
	r.write(ctx, d, queue.FieldResult, encoded, queue.FieldAttempts, d.attempts,
		queue.FieldDoneAt, queue.FormatTime(time.Now()))
}

// attempt keeps the numbers of attempts and of failures.
func (r *recorder) attempt(ctx context.Context, d *delivery) {
	r.write(ctx, d, queue.FieldAttempts, d.attempts, queue.FieldFailures, d.failures)
}

func (r *recorder) write(ctx context.Context, d *delivery, fields ...any) {
	// Not bound to asynq's context: a lost lease does not undo what was done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.patience)
	defer cancel()
	defer context.AfterFunc(r.cutoff, func() {
		timer := time.AfterFunc(settleTime, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})()
	err := patiently(ctx, func() error {
		return record.Run(ctx, r.rdb, []string{queue.TaskKey(d.queue, d.id)}, fields...).Err()
	})
	if err != nil {
		d.log.Error("result not recorded, the task may run again under the same dedupe UUID", "attempt", d.attempts, "error", err)
	}
}
