package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/tasks"
)

// printer writes tasks as lines for people, or as JSON objects.
type printer struct {
	p    *program
	json bool
}

// enqueued says what became of an enqueued task.
func (o printer) enqueued(info *tasks.Info) error {
	switch {
	case o.json:
		return o.p.writeJSON(info)
	case info.Duplicate:
		return o.line("duplicate", info, string(info.State))
	case info.State == tasks.StateScheduled:
		return o.line("enqueued", info, "runs at "+info.NextAttemptAt.Format(time.RFC3339))
	default:
		return o.line("enqueued", info, "")
	}
}

// finished says how a task ended.
func (o printer) finished(info *tasks.Info) error {
	switch {
	case o.json:
		return o.p.writeJSON(info)
	default: // why a task was archived is an error, and said as one
		return o.line(string(info.State), info, console.Printable(string(info.Result)))
	}
}

// unfinished gives programs what is known of a task whose end was not waited for.
func (o printer) unfinished(info *tasks.Info) error {
	if !o.json {
		return nil
	}
	return o.p.writeJSON(info)
}

func (o printer) line(what string, info *tasks.Info, detail string) error {
	columns := []string{fmt.Sprintf("%-9s %s", what, info.ID), info.Type, info.Queue}
	if detail != "" {
		columns = append(columns, detail)
	}
	_, err := fmt.Fprintln(o.p.stdout, strings.Join(columns, "  "))
	return err
}

// writeJSON writes a value on one line.
func (p *program) writeJSON(v any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
