package tasks

import "time"

// Validate reports what [Client.Enqueue] would refuse of the task and its
// options, without asking Redis. The error is an [*InvalidError].
func (r Request) Validate() error {
	_, err := (&Client{now: time.Now}).prepare(r.Task, r.Options)
	return err
}
