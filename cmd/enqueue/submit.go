package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

// submit enqueues one task: it checks all that was given, says what became of
// it, and waits where that is wanted. names tells which flag fills which field.
func (p *program) submit(cmd *cobra.Command, common *taskFlags, task tasks.Task, wrong *problems, names flagNames) error {
	opts := common.options(cmd.Flags(), p.now(), wrong)
	patience := common.patience(cmd.Flags(), wrong)
	if task != nil {
		wrong.fields(task.Validate(), names)
	}
	cfg := p.configure(cmd, wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	c, err := p.connect(cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	info, err := p.enqueue(cmd.Context(), c, task, opts, names)
	if err != nil {
		return c.again(err, common)
	}
	out := printer{p: p, json: common.json}
	if !common.wait {
		return out.enqueued(info)
	}
	if !common.json {
		if err := out.enqueued(info); err != nil {
			return err
		}
	}
	return p.wait(cmd.Context(), c, info, patience, out)
}

func (p *program) enqueue(ctx context.Context, c *connection, task tasks.Task, opts []tasks.Option, names flagNames) (*tasks.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	info, err := c.Enqueue(ctx, task, opts...)
	if invalid, ok := errors.AsType[*tasks.InvalidError](err); ok {
		var wrong problems
		wrong.fields(invalid, names)
		return nil, cmp.Or(wrong.err(), err)
	}
	return info, err
}

// again explains what Redis said, and how to enqueue the task once although it
// may be in already. Where nothing was sent, it is not.
func (c *connection) again(err error, common *taskFlags) error {
	away, ok := errors.AsType[*tasks.RedisError](err)
	if !ok {
		return err
	}
	explained := c.explain(err)
	op, isOp := errors.AsType[*net.OpError](err)
	switch {
	case isOp && op.Op == "dial", redischeck.Refused(err), redischeck.Hopeless(err): // nothing was stored
		return explained
	case common.key != "" || common.id != "":
		return fmt.Errorf("%w\nit may be enqueued all the same: run the same again, which enqueues it once", explained)
	}
	return fmt.Errorf("%w\nit may be enqueued all the same: run again with --id %s, which enqueues it once", explained, away.ID)
}

// wait prints how the task ends. It fails unless it was completed.
func (p *program) wait(ctx context.Context, c *connection, info *tasks.Info, patience time.Duration, out printer) error {
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	last, err := c.Wait(ctx, info.ID)
	if last == nil {
		last = info
	}
	last.Duplicate = info.Duplicate
	switch {
	case err == nil:
		err := out.finished(last)
		switch {
		case last.State != tasks.StateArchived:
			return err
		case out.json: // which has the reason
			return errors.Join(err, fmt.Errorf("%s was archived", last.ID))
		}
		return errors.Join(err, fmt.Errorf("%s was archived: %s", last.ID, last.Error))
	case ctx.Err() != nil && !last.State.Final():
		why := "interrupted"
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			why = "not done after " + wording.Duration(patience)
		}
		return errors.Join(out.unfinished(last), fmt.Errorf("%s: %s is still %s; look again with: enqueue status %s", why, last.ID, last.State, last.ID))
	case errors.Is(err, tasks.ErrNotFound):
		return fmt.Errorf("%s is not there any more: it was deleted, or done with its retention over", info.ID)
	default:
		return fmt.Errorf("%w\nthe task is enqueued; look again with: enqueue status %s", c.explain(err), info.ID)
	}
}
