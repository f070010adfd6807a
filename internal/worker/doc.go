// Package worker is the pool that takes tasks from Redis and executes them at
// Layer.
//
// # The way of a task
//
// asynq hands a task over; pipeline.go is what happens to it then, from top to
// bottom. Whatever the outcome, exactly one function, decide, maps the error
// of an attempt to what happens next; docs/errors.md is its table.
//
// # One asynq server per queue
//
// An asynq server fetches in one goroutine, and shares its concurrency among its
// queues. One server per queue fetches in parallel and gives each queue the
// concurrency that it is configured to have. All share one Redis client, whose
// dequeue hook makes them pick tasks up at once.
//
// # What counts as an attempt
//
// Only what Layer answered. A refused connection, a timeout, a crash, a drain or
// a limit of ours costs a task nothing but time. asynq's own count is told the
// same and decides nothing: asynq would archive a task whose last retry
// met a crash.
package worker
