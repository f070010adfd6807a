package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

func (p *program) statusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status ID",
		Short: "Show one task: state, attempts, last error, result",
		Long: `Show one task by the dedupe UUID that enqueueing it printed: its state, the
attempts that Layer answered, the last error, when the next attempt is due, and
its result.`,
		Example: `  enqueue status 5c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69
  enqueue status 5c1c3a0e-7c33-4a2c-9f0e-1f2d3c4b5a69 --json | jq -r .result.message_id`,
		GroupID: groupLook,
		Args:    console.Arguments(1, "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var wrong problems
			id, err := tasks.ParseID(args[0])
			if err != nil {
				wrong.add("ID", "%s is no UUID such as 01234567-89ab-4cde-8f01-23456789abcd", wording.Quote(args[0]))
			}
			c, err := p.open(cmd, &wrong)
			if err != nil {
				return err
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), answerTimeout)
			defer cancel()
			info, err := c.Status(ctx, id)
			switch {
			case errors.Is(err, tasks.ErrNotFound):
				return noTask(id)
			case err != nil:
				return c.explain(err)
			case asJSON:
				return p.writeJSON(info)
			}
			return p.writeStatus(info)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// writeStatus writes what is known of a task, one fact a line.
func (p *program) writeStatus(info *tasks.Info) error {
	const gap = 2 // spaces between columns
	w := tabwriter.NewWriter(p.stdout, 0, 0, gap, ' ', 0)
	for _, fact := range []struct{ name, value string }{
		{"id", info.ID.String()},
		{"type", foreign(info.Type)},
		{"queue", info.Queue},
		{"state", string(info.State)},
		{"attempts", strconv.Itoa(info.Attempts)},
		{"enqueued at", timeOrNothing(info.EnqueuedAt)},
		{"next attempt at", timeOrNothing(info.NextAttemptAt)},
		{"completed at", timeOrNothing(info.CompletedAt)},
		{"archived at", timeOrNothing(info.ArchivedAt)},
		{"result", console.Printable(string(info.Result))},
		{"code", foreign(info.Code)},
		{"error", console.Printable(info.Error)},
	} {
		if fact.value != "" {
			fmt.Fprintf(w, "%s\t%s\n", fact.name, fact.value)
		}
	}
	return w.Flush()
}

func timeOrNothing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
