package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/cmd/enqueue/internal/when"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

// filterFlags select archived tasks.
type filterFlags struct{ queue, taskType, code, since string }

// filterNames are the flags of a filter.
var filterNames = []string{"queue", "type", "code", "since"}

func (f *filterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	textVar(flags, &f.queue, "queue", "QUEUE", "only those of this queue: critical, default or bulk")
	textVar(flags, &f.taskType, "type", "TYPE", "only those of this type, such as message:send")
	textVar(flags, &f.code, "code", "CODE", "only those that ended with this: Layer's code, such as not_found, or expired, invalid, poison ...")
	textVar(flags, &f.since, "since", "D|TIME", "only those archived within this duration, such as 24h, or since this time")
}

// filter understands the flags that were given.
func (f *filterFlags) filter(now time.Time, p *problems) tasks.Filter {
	filter := tasks.Filter{Queue: f.queue, Type: f.taskType, Code: f.code}
	if f.queue != "" && !slices.Contains(queue.Names, f.queue) {
		p.add("--queue", "%s is unknown; there are %s", wording.Quote(f.queue), strings.Join(queue.Names, ", "))
	}
	if f.taskType != "" {
		if _, err := typeNamed(f.taskType); err != nil {
			p.add("--type", "%s", strings.TrimPrefix(err.Error(), "TYPE: "))
		}
	}
	if strings.Trim(f.code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		p.add("--code", "%s is no code such as not_found", wording.Quote(f.code))
	}
	if f.since != "" {
		since, err := beginning(f.since, now)
		if err != nil {
			p.add("--since", "%s %v", wording.Quote(f.since), err)
		}
		filter.Since = since
	}
	return filter
}

// beginning reads a time, or a duration before now.
func beginning(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		if t.After(now) {
			return time.Time{}, errors.New("lies in the future")
		}
		return t, nil
	}
	d, err := when.Delay(s)
	switch {
	case err != nil && !strings.ContainsAny(s, "TZ:"):
		return time.Time{}, err
	case err != nil:
		return time.Time{}, errors.New("is neither a duration such as 24h nor a time such as 2026-07-01T09:30:00Z")
	case d == 0:
		return time.Time{}, errors.New("is zero; want a duration such as 24h")
	}
	return now.Add(-d), nil
}

// taskIDs reads the ids of tasks.
func taskIDs(args []string, p *problems) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(args))
	for _, arg := range args {
		id, err := tasks.ParseID(arg)
		switch {
		case err != nil:
			p.add("ID", "%s is no UUID such as 01234567-89ab-4cde-8f01-23456789abcd", wording.Quote(arg))
		case slices.Contains(ids, id):
			p.add("ID", "%s is given twice", id)
		}
		ids = append(ids, id)
	}
	return ids
}

// counted is "1 task" or "5 tasks".
func counted(n int) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", n)
}
