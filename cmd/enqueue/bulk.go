package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/cmd/enqueue/internal/bulk"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

// bulkPatience is how long bulk waits for a Redis that went away: long enough for
// a restart or the promotion of a replica.
const bulkPatience = 30 * time.Second

func (p *program) bulkCommand() *cobra.Command {
	var (
		defaults       placement
		strict, asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "bulk [FILE|-]",
		Short: "Enqueue many tasks: NDJSON, one a line",
		Long: `Enqueue many tasks from FILE, or from standard input. Each line is a JSON object:

  {"type":"message:send","args":{...},"key":"...","id":"...","queue":"...","at":"...","expires":"..."}

Only type and args are required. A line without key and id gets a key from its
content and its place among equal lines, so running the same file again, also
after it was interrupted, enqueues nothing twice for as long as finished tasks
are retained.

Invalid lines are named on standard error by their number and skipped; blank
ones are ignored. The exit code is 1 if any line was invalid or failed, also
where all others were enqueued. --queue, --in, --at and --expires are for lines
that do not say otherwise.`,
		Example: `  enqueue bulk messages.ndjson
  enqueue bulk --strict --queue bulk messages.ndjson
  zcat messages.ndjson.gz | enqueue bulk --json -`,
		GroupID: groupTasks,
		Args:    console.Arguments(0, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var wrong problems
			wrong.empty(cmd.Flags())
			now := p.now()
			opts := defaults.options(cmd.Flags(), now, &wrong)
			wrong.fields(tasks.Request{Task: tasks.BlockUser{Owner: "a", User: "b"}, Options: opts}.Validate(), nil)
			in, err := p.openInput(args, &wrong)
			if err != nil {
				return err
			}
			defer in.Close()
			c, err := p.open(cmd, &wrong)
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.reach(cmd.Context()); err != nil {
				return err
			}
			job := &bulk.Job{Queue: c, Options: opts, Log: c.log, Patience: bulkPatience}
			return p.runBulk(cmd.Context(), c, job, in, strict, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&strict, "strict", false, "enqueue nothing if any line is invalid")
	defaults.add(flags)
	flags.BoolVar(&asJSON, "json", false, "print the summary as a JSON object")
	return cmd
}

// reach asks Redis for a sign of life, so that a Redis that is not there is
// found out before the first line.
func (c *connection) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if err := c.Ping(ctx); err != nil {
		return c.explain(err)
	}
	return nil
}

// runBulk enqueues the stream and prints what became of it.
func (p *program) runBulk(ctx context.Context, c *connection, job *bulk.Job, in *input, strict, asJSON bool) error {
	// Little of the memory lives long. A million lines without a key fit into
	// 100 MiB this way, for a tenth more time on the processor.
	const gcPercent = 30
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	if strict {
		spooled, err := in.spool(ctx)
		if err != nil {
			return err
		}
		if spooled != in {
			defer spooled.Close()
			in = spooled
		}
		sum, err := p.pass(in, "checking", job, func() (bulk.Summary, error) { return job.Check(ctx, in.stream) })
		if err != nil || sum.Invalid > 0 {
			return errors.Join(p.writeSummary(sum, asJSON), p.strictFailed(sum, err))
		}
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("--strict reads everything before: %w", err)
		}
	}
	sum, err := p.pass(in, "enqueueing", job, func() (bulk.Summary, error) { return job.Run(ctx, in.stream) })
	return errors.Join(p.writeSummary(sum, asJSON), c.outcome(sum, err))
}

// strictFailed says why nothing was enqueued.
func (p *program) strictFailed(sum bulk.Summary, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted; nothing was enqueued")
	case err != nil:
		return fmt.Errorf("%w; nothing was enqueued", err)
	}
	return fmt.Errorf("%d of %d lines are invalid; nothing was enqueued", sum.Invalid, sum.Read)
}

// pass reads the stream once, under a progress bar.
func (p *program) pass(in *input, what string, job *bulk.Job, work func() (bulk.Summary, error)) (bulk.Summary, error) {
	bar := p.progress(what, in.size)
	defer bar.done()
	job.Progress = bar.update
	job.Rejected = func(r bulk.Rejected) {
		bar.clear()
		fmt.Fprintf(p.stderr, "enqueue: line %d: %s\n", r.Line, r.Problem)
	}
	return work()
}

// outcome is nil where every line is in.
func (c *connection) outcome(sum bulk.Summary, err error) error {
	in := sum.Enqueued + sum.Duplicate
	again := fmt.Sprintf("%d tasks are in; running the same again is safe: they are recognised for %s after they are done", in, wording.Duration(c.cfg.Retention))
	_, away := errors.AsType[*tasks.RedisError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted; %s", again)
	case away:
		return fmt.Errorf("%w\n%s", c.explain(err), again)
	case err != nil:
		return fmt.Errorf("%w\n%s", err, again)
	case sum.Invalid > 0 || sum.Failed > 0:
		return fmt.Errorf("%d of %d lines were not enqueued", sum.Invalid+sum.Failed, sum.Read)
	}
	return nil
}

func (p *program) writeSummary(sum bulk.Summary, asJSON bool) error {
	if asJSON {
		return p.writeJSON(sum)
	}
	rate := ""
	if sum.Seconds > 0 {
		rate = fmt.Sprintf(", %.0f/s", float64(sum.Read)/sum.Seconds)
	}
	_, err := fmt.Fprintf(p.stdout, "read %d  enqueued %d  duplicate %d  invalid %d  failed %d  (%.1f s%s)\n",
		sum.Read, sum.Enqueued, sum.Duplicate, sum.Invalid, sum.Failed, sum.Seconds, rate)
	return err
}
