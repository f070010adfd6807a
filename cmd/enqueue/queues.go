package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/tasks"
)

func (p *program) queuesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "queues",
		Short: "Show the queues: size by state, latency, paused or held",
		Long: `Show the queues: how many tasks of each state they hold, for how long the oldest
pending task has been pending, and whether they are paused by hand, or held, until
when and why.`,
		Example: `  enqueue queues
  enqueue queues --json | jq '.[] | select(.queue == "critical") | .latency_seconds'`,
		GroupID: groupLook,
		Args:    console.Arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.open(cmd, &problems{})
			if err != nil {
				return err
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), answerTimeout)
			defer cancel()
			queues, err := c.Queues(ctx)
			if err != nil {
				return c.explain(err)
			}
			if asJSON {
				return p.writeJSON(queues)
			}
			_, err = fmt.Fprintln(p.stdout, queueTable(queues))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array, one object a queue")
	return cmd
}

// queueTable lines up the numbers of the queues.
func queueTable(queues []tasks.QueueInfo) string {
	t := table.NewWriter()
	t.SetStyle(plain)
	t.AppendHeader(table.Row{"queue", "pending", "waiting", "scheduled", "active", "retry", "completed", "archived", "latency", "state"})
	for _, q := range queues {
		t.AppendRow(table.Row{q.Queue, q.Pending, q.Waiting, q.Scheduled, q.Active, q.Retry, q.Completed, q.Archived, latency(q.Latency), queueState(q)})
	}
	return trimRight(t.Render())
}

func latency(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return d.Round(time.Millisecond).String()
}

// queueState tells of a pause by hand before a hold: that one does not end by itself.
func queueState(q tasks.QueueInfo) string {
	switch {
	case q.Paused && q.Held != nil:
		return "paused; " + held(q.Held)
	case q.Held != nil && q.Held.Reason == "": // another program's
		return "paused until " + q.Held.Until.UTC().Format(time.RFC3339)
	case q.Held != nil:
		return held(q.Held)
	case q.Paused:
		return "paused"
	default:
		return "running"
	}
}

func held(h *tasks.Hold) string {
	text := "held until " + h.Until.UTC().Format(time.RFC3339)
	if h.Reason == "" {
		return text
	}
	return text + ": " + console.Printable(h.Reason)
}

// plain is a table without lines and colours: what is selected with a mouse can
// be pasted, and what is piped can be cut.
var plain = func() table.Style {
	s := table.StyleDefault
	s.Options = table.OptionsNoBordersAndSeparators
	s.Box.PaddingLeft, s.Box.PaddingRight = "", "  "
	s.Format.Header = text.FormatDefault
	return s
}()

// trimRight cuts the padding behind the last column.
func trimRight(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.Join(lines, "\n")
}
