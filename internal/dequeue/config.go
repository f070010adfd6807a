package dequeue

import (
	"time"

	"github.com/hibiken/asynq"
)

const (
	// TaskCheckInterval is how long asynq sleeps, with jitter, after a dequeue
	// found nothing. The hook has waited by then.
	TaskCheckInterval = time.Millisecond
	// DelayedTaskCheckInterval is how often asynq's own forwarder runs. The
	// hook's script forwards what is due whenever a task is asked for; asynq's is left
	// for tasks that become due while every slot is taken, so that the numbers of the queue say so.
	DelayedTaskCheckInterval = time.Minute
)

// ServerConfig returns the configuration of an asynq server for one queue. It
// must run on a client that carries the hook, and serve no other queue: the hook
// waits where asynq would have gone on to the next one.
//
// The caller adds what is its own business: handler, error handler, retry
// delays, logger, shutdown timeout. Note that asynq stores retry times in whole
// seconds, rounded down.
func ServerConfig(queue string, concurrency int) asynq.Config {
	return asynq.Config{
		Concurrency:              concurrency,
		Queues:                   map[string]int{queue: 1},
		TaskCheckInterval:        TaskCheckInterval,
		DelayedTaskCheckInterval: DelayedTaskCheckInterval,
	}
}
