package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

func (p *program) cancelCommand() *cobra.Command {
	return p.removeCommand(removal{
		op: "cancel", done: "cancelled",
		short: "Remove a task that has not been executed",
		long: `Remove a task that has not been executed, for good: one that is pending, waiting,
scheduled, or between two attempts. The next one of its lane runs then.

A task that a worker has is not cancelled: what it does may have taken effect. Nor
is one that is finished: see "enqueue delete". A task between two attempts may have
taken effect, if the answer of an attempt was lost.`,
		does: (*tasks.Client).Cancel,
	})
}

func (p *program) deleteCommand() *cobra.Command {
	return p.removeCommand(removal{
		op: "delete", done: "deleted",
		short: "Remove a task, also a finished or archived one",
		long: `Remove a task for good, with its result: a completed or archived one, or one that
"enqueue cancel" takes. Enqueueing the same id or key again is a new task then.

A task that a worker has is not deleted: wait for its end.`,
		does: (*tasks.Client).Delete,
	})
}

// removal is one of the two commands that remove a task.
type removal struct {
	op, done, short, long string
	does                  func(*tasks.Client, context.Context, uuid.UUID) (tasks.State, error)
}

// removed is the object that they print.
type removed struct {
	ID  uuid.UUID   `json:"id"`
	Op  string      `json:"done"`
	Was tasks.State `json:"was"`
}

func (p *program) removeCommand(r removal) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     r.op + " ID",
		Short:   r.short,
		Long:    r.long,
		Example: "  enqueue " + r.op + " 5c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69",
		GroupID: groupLook,
		Args:    console.Arguments(1, "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var wrong problems
			ids := taskIDs(args, &wrong)
			c, err := p.open(cmd, &wrong)
			if err != nil {
				return err
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), answerTimeout)
			defer cancel()
			was, err := r.does(c.Client, ctx, ids[0])
			switch {
			case errors.Is(err, tasks.ErrNotFound):
				return noTask(ids[0])
			case err != nil:
				return c.explain(err)
			case asJSON:
				return p.writeJSON(removed{ids[0], r.done, was})
			}
			_, err = fmt.Fprintf(p.stdout, "%s  %s  it was %s\n", r.done, ids[0], was)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func noTask(id uuid.UUID) error {
	return fmt.Errorf("there is no task %s: it was never enqueued, was deleted, or is done with its retention over", id)
}

func (p *program) pauseCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pause QUEUE",
		Short: "Stop a queue until it is resumed",
		Long: `Stop a queue until "enqueue resume", for all workers: what they have they finish,
and take nothing more of it. Tasks can be enqueued meanwhile. A pause outlasts the
workers, and a hold.`,
		Example: "  enqueue pause bulk",
		GroupID: groupLook,
		Args:    console.Arguments(1, "QUEUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onQueue(cmd, args[0], func(ctx context.Context, c *connection, q string) error {
				was, err := c.Pause(ctx, q)
				if err != nil {
					return c.explain(err)
				}
				return p.writePause(pauseChange{Queue: q, Paused: true, Changed: !was}, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func (p *program) resumeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "resume QUEUE",
		Short: "Let a paused queue go on",
		Long: `Let a queue go on that was paused, by "enqueue pause" or in asynqmon. A hold, which
layerq sets by itself while the API limits or is away, goes on until it ends.`,
		Example: "  enqueue resume bulk",
		GroupID: groupLook,
		Args:    console.Arguments(1, "QUEUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onQueue(cmd, args[0], func(ctx context.Context, c *connection, q string) error {
				was, held, err := c.Resume(ctx, q)
				if err != nil {
					return c.explain(err)
				}
				return p.writePause(pauseChange{Queue: q, Changed: was, Held: held}, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// onQueue does something with the queue that an argument names.
func (p *program) onQueue(cmd *cobra.Command, name string, does func(context.Context, *connection, string) error) error {
	var wrong problems
	if !slices.Contains(queue.Names, name) {
		wrong.add("QUEUE", "%s is unknown; there are %s", wording.Quote(name), strings.Join(queue.Names, ", "))
	}
	c, err := p.open(cmd, &wrong)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), answerTimeout)
	defer cancel()
	return does(ctx, c, name)
}

// pauseChange is the object that pause and resume print.
type pauseChange struct {
	Queue   string      `json:"queue"`
	Paused  bool        `json:"paused"`  // by hand
	Changed bool        `json:"changed"` // it was not before
	Held    *tasks.Hold `json:"held,omitempty"`
}

func (p *program) writePause(c pauseChange, asJSON bool) error {
	if asJSON {
		return p.writeJSON(c)
	}
	what := "resumed"
	if c.Paused {
		what = "paused"
	}
	switch {
	case !c.Changed && c.Paused:
		what = "was paused already"
	case !c.Changed:
		what = "was not paused"
	}
	held := ""
	if c.Held != nil {
		held = fmt.Sprintf("; held until %s: %s", c.Held.Until.UTC().Format(time.RFC3339), console.Printable(c.Held.Reason))
	}
	_, err := fmt.Fprintf(p.stdout, "%s  %s%s\n", c.Queue, what, held)
	return err
}
