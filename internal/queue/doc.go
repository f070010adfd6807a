// Package queue has asynq's Redis layout in its own hands: it encodes asynq's
// task message, enqueues a batch of tasks in one round trip, finds a task by its
// id in whichever queue it is, and counts what the queues hold.
//
// asynq's servers, its Inspector and asynqmon work on what this package writes;
// the tests run against them and hold the layout in place.
package queue
