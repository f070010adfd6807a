// Package dequeue makes asynq's servers pick a task up at once, and stand what
// they find.
//
// asynq polls an empty queue every second or so. [Hook] is a go-redis hook on
// the servers' client: it recognises asynq's dequeue script by its keys, runs a
// script of its own instead, and where that finds nothing, waits until something
// is pushed to the queue by anybody, or is due, before it answers. asynq
// does not notice, but for the time that a dequeue takes.
//
// # What the script does more than asynq's
//
// It moves tasks that are due to the pending list itself, by Redis' clock, so
// that asynq's forwarder need not run every few seconds. It removes ids whose
// task is gone. It reads, in the same round trip, what else the task's hash
// holds, see [Hook.Delivery].
//
// # What asynq gets
//
// The message is changed on its way: asynq's limits of retries and time never
// end a task, which the worker decides about alone, and a message that cannot be
// decoded is replaced by one that can, of type [UndecodableType], and an id that is not UTF-8 by its Go literal.
//
// # How it waits
//
// A server that found nothing blocks in BLMOVE from the right end of the pending list to the same
// right end, which changes nothing and returns as soon as the list has an element. Several
// servers of a queue share one blocked command. Where it fails, the queue is polled once a second.
package dequeue
