package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/cmd/enqueue/internal/when"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

func (p *program) replayCommand() *cobra.Command {
	var (
		selection      filterFlags
		rate           string
		dryRun, asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "replay [ID...]",
		Short: "Run dead letters again",
		Long: `Run dead letters again: those with the given ids, those that the filters select,
or all. Each runs under its own id and with all its attempts, behind the others of
its lane; what Layer did for it before, it does not do twice. A task that has
expired is archived again.

The tasks are those that are archived when replay begins: one that fails again
meanwhile is not run a third time. Replay can be interrupted and run again: what
runs already is not archived any more, and is left alone.`,
		Example: `  enqueue replay 5c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69
  enqueue replay --code not_found --since 24h --dry-run
  enqueue replay --type message:send --rate 50/s`,
		GroupID: groupLook,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var wrong problems
			filter := selection.filter(p.now(), &wrong)
			ids := taskIDs(args, &wrong)
			for _, name := range filterNames {
				if len(args) > 0 && cmd.Flags().Changed(name) {
					wrong.lines = append(wrong.lines, fmt.Sprintf("ID and --%s exclude each other", name))
				}
			}
			pace, err := parseRate(rate)
			if rate != "" && err != nil {
				wrong.add("--rate", "%s %v", wording.Quote(rate), err)
			}
			c, err := p.open(cmd, &wrong)
			if err != nil {
				return err
			}
			defer c.Close()
			r := &replay{p: p, c: c, pace: pace, started: p.now()}
			if err := r.collect(cmd.Context(), filter, ids); err != nil {
				return err
			}
			work := r.run
			if dryRun {
				work = r.describe
			}
			return cmp.Or(work(cmd.Context(), asJSON), r.missing())
		},
	}
	selection.add(cmd)
	flags := cmd.Flags()
	textVar(flags, &rate, "rate", "N/s", "at most so many a second, or a minute as in 100/m (default as fast as it goes)")
	flags.BoolVar(&dryRun, "dry-run", false, "say what would run again, and do nothing")
	flags.BoolVar(&asJSON, "json", false, "print the summary as a JSON object")
	return cmd
}

// pace is so many tasks in every duration; the zero value is without bound.
type pace struct {
	tasks int
	every time.Duration
}

// parseRate reads N/s, N/m, N/h or N/D with a Go duration.
func parseRate(s string) (pace, error) {
	wrong := errors.New("is no rate such as 50/s or 100/m")
	n, unit, found := strings.Cut(s, "/")
	count, err := strconv.Atoi(n)
	if err != nil || !found {
		return pace{}, wrong
	}
	if strings.Trim(unit, "msh") == "" && unit != "" {
		unit = "1" + unit
	}
	every, err := when.Delay(unit)
	switch {
	case err != nil:
		return pace{}, wrong
	case count < 1 || every <= 0:
		return pace{}, errors.New("lets nothing run; want a rate such as 50/s")
	}
	return pace{count, every}, nil
}

// replayed is the summary. Read is the sum of the others.
type replayed struct {
	Read     int     `json:"read"`     // archived tasks that were selected, and ids that were given
	Replayed int     `json:"replayed"` // run again
	Skipped  int     `json:"skipped"`  // not archived: run again before, or never given up
	Missing  int     `json:"missing"`  // ids without a task
	Left     int     `json:"left"`     // not tried, or Redis did not answer
	DryRun   bool    `json:"dry_run,omitempty"`
	Seconds  float64 `json:"seconds"`
}

// replay is one run of the command.
type replay struct {
	p       *program
	c       *connection
	pace    pace
	started time.Time
	todo    []*tasks.Info
	sum     replayed
}

// collect finds out what is to be run again, before anything runs.
func (r *replay) collect(ctx context.Context, filter tasks.Filter, ids []uuid.UUID) error {
	if len(ids) == 0 {
		for info, err := range r.c.Archived(ctx, filter) {
			if err != nil {
				return r.c.explain(err)
			}
			// Of 100,000 only what is needed is kept.
			r.todo = append(r.todo, &tasks.Info{ID: info.ID, Type: info.Type, Queue: info.Queue, Code: info.Code})
		}
		r.sum.Read = len(r.todo)
		return nil
	}
	r.sum.Read = len(ids)
	for _, id := range ids {
		info, err := r.c.Status(ctx, id)
		switch {
		case errors.Is(err, tasks.ErrNotFound):
			r.sum.Missing++
			r.say("there is no task %s", id)
		case err != nil:
			return r.c.explain(err)
		case info.State != tasks.StateArchived:
			r.sum.Skipped++
			r.say("%s is %s, only archived tasks are replayed", id, info.State)
		default:
			r.todo = append(r.todo, info)
		}
	}
	return nil
}

func (r *replay) say(format string, args ...any) {
	fmt.Fprintf(r.p.stderr, "enqueue: "+format+"\n", args...)
}

// describe says what would run again, by type and code.
func (r *replay) describe(_ context.Context, asJSON bool) error {
	r.sum.DryRun, r.sum.Left = true, len(r.todo)
	if asJSON {
		return r.finish(asJSON)
	}
	type kind struct{ queue, taskType, code string }
	counts := map[kind]int{}
	var kinds []kind
	for _, info := range r.todo {
		k := kind{info.Queue, info.Type, info.Code}
		if counts[k]++; counts[k] == 1 {
			kinds = append(kinds, k)
		}
	}
	slices.SortStableFunc(kinds, func(a, b kind) int { return counts[b] - counts[a] })
	t := table.NewWriter()
	t.SetStyle(plain)
	t.AppendHeader(table.Row{"tasks", "type", "code", "queue"})
	for _, k := range kinds {
		t.AppendRow(table.Row{counts[k], foreign(k.taskType), foreign(k.code), k.queue})
	}
	if len(kinds) > 0 {
		fmt.Fprintln(r.p.stdout, trimRight(t.Render()))
	}
	_, err := fmt.Fprintf(r.p.stdout, "%s would run again\n", counted(len(r.todo)))
	return err
}

// replayBatch is how many tasks run again in one round trip.
const replayBatch = 500

// run runs the tasks again, batch by batch.
func (r *replay) run(ctx context.Context, asJSON bool) error {
	bar := r.p.countingBar("replaying", len(r.todo))
	defer bar.done()
	begin, done := time.Now(), 0
	var failed error
	for done < len(r.todo) && failed == nil {
		n, wait := r.pace.next(done, time.Since(begin))
		if wait > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
		}
		if ctx.Err() != nil {
			failed = ctx.Err()
			break
		}
		batch := r.todo[done:min(done+n, len(r.todo))]
		var runs []bool
		// Not cut off by a signal: then one would not know what runs.
		runs, failed = r.c.ReplayMany(context.WithoutCancel(ctx), batch)
		for _, again := range runs {
			switch {
			case again:
				r.sum.Replayed++
			case failed == nil:
				r.sum.Skipped++
			}
		}
		done += len(batch)
		bar.count(done)
	}
	bar.done()
	r.sum.Left = r.sum.Read - r.sum.Replayed - r.sum.Skipped - r.sum.Missing
	return errors.Join(r.finish(asJSON), r.outcome(failed))
}

// next returns how many tasks may run now, after those that ran in the time that has passed, and
// how long to wait before that: small batches, so that a rate is one in every second of it.
func (p pace) next(done int, passed time.Duration) (n int, wait time.Duration) {
	if p.tasks == 0 {
		return replayBatch, 0
	}
	const step = 100 * time.Millisecond
	rate := float64(p.tasks) / p.every.Seconds()
	n = min(replayBatch, max(1, int(rate*step.Seconds())))
	due := time.Duration(float64(done) / rate * float64(time.Second))
	return n, max(0, due-passed)
}

func (r *replay) finish(asJSON bool) error {
	const millis = 1000
	r.sum.Seconds = math.Round(r.p.now().Sub(r.started).Seconds()*millis) / millis
	if asJSON {
		return r.p.writeJSON(r.sum)
	}
	_, err := fmt.Fprintf(r.p.stdout, "read %d  replayed %d  skipped %d  missing %d  left %d  (%.1f s)\n",
		r.sum.Read, r.sum.Replayed, r.sum.Skipped, r.sum.Missing, r.sum.Left, r.sum.Seconds)
	return err
}

// missing fails a command that was given ids without a task: they were said.
func (r *replay) missing() error {
	if r.sum.Missing > 0 {
		return console.ErrSaid
	}
	return nil
}

func (r *replay) outcome(err error) error {
	const again = "running the same again is safe: what runs already is left alone"
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted with %d left; %s", r.sum.Left, again)
	case err != nil:
		return fmt.Errorf("%w\n%s", r.c.explain(err), again)
	}
	return nil
}
