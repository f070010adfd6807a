package tasks

import "time"

// Validate reports what [Client.Enqueue] would refuse of the task and its
// options, without asking Redis: by the rules of a client without shared files
// (see [WithSharedFiles]). The error is an [*InvalidError].
func (r Request) Validate() error {
	return (&Client{now: time.Now}).Validate(r.Task, r.Options...)
}

// Validate reports what [Client.Enqueue] would refuse of the task and its
// options, without asking Redis. Files that the task names are read. The error is an [*InvalidError].
func (c *Client) Validate(t Task, opts ...Option) error {
	_, err := c.prepare(t, opts)
	return err
}
