package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/layerq/layerq/cmd/enqueue/internal/when"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// placement is the flags that say when and in which queue tasks run.
type placement struct {
	queue, in, at, expires, lane string
	unordered, stopLane          bool
}

func (o *placement) add(flags *pflag.FlagSet) {
	textVar(flags, &o.queue, "queue", "QUEUE", "queue to wait in: critical, default or bulk (default default)")
	textVar(flags, &o.in, "in", "D", "not before this duration, such as 90s or 2h")
	textVar(flags, &o.at, "at", "TIME", "not before this time, such as 2026-07-01T09:30:00Z")
	textVar(flags, &o.expires, "expires", "D|TIME", "never executed after it: archived instead")
	flags.BoolVar(&o.unordered, "unordered", false, "may overtake earlier tasks of its conversation or user, and be overtaken")
	textVar(flags, &o.lane, "lane", "NAME", "keep order with the other tasks of this lane, in place of those of its conversation or user")
	flags.BoolVar(&o.stopLane, "lane-stop-on-failure", false, "if it is archived, no later task of its lane runs until it has been replayed or deleted")
}

// options understands the flags that were given.
func (o *placement) options(flags *pflag.FlagSet, now time.Time, p *problems) []tasks.Option {
	p.exclude(flags, "in", "at")
	p.exclude(flags, "unordered", "lane")
	p.exclude(flags, "unordered", "lane-stop-on-failure")
	var opts []tasks.Option
	if o.unordered && !p.flags["--unordered"] {
		opts = append(opts, tasks.Unordered())
	}
	if o.stopLane && !p.flags["--lane-stop-on-failure"] {
		opts = append(opts, tasks.StopLaneOnFailure())
	}
	for _, option := range []struct {
		name  string
		value string
		parse func(s string) (tasks.Option, error)
	}{
		{"queue", o.queue, func(s string) (tasks.Option, error) { return tasks.Queue(s), nil }},
		{"in", o.in, func(s string) (tasks.Option, error) { d, err := when.Delay(s); return tasks.In(d), err }},
		{"at", o.at, func(s string) (tasks.Option, error) { t, err := when.Time(s); return tasks.At(t), err }},
		{"lane", o.lane, func(s string) (tasks.Option, error) { return tasks.Lane(s), nil }},
		{"expires", o.expires, func(s string) (tasks.Option, error) { t, err := when.End(s, now); return tasks.Expires(t), err }},
	} {
		if option.value == "" || p.flags["--"+option.name] {
			continue
		}
		set, err := option.parse(option.value)
		if err != nil {
			p.add("--"+option.name, "%s %v", wording.Quote(option.value), err)
			continue
		}
		opts = append(opts, set)
	}
	return opts
}

// taskFlags is what every command that enqueues one task takes.
type taskFlags struct {
	placement

	key, id     string
	wait        bool
	waitTimeout string
	json        bool
}

func (o *taskFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	textVar(flags, &o.key, "key", "KEY", "business key: the same type and key is the same task")
	textVar(flags, &o.id, "id", "UUID", "dedupe UUID itself (default a random one)")
	o.placement.add(flags)
	flags.BoolVar(&o.wait, "wait", false, "wait until it is done; exit 1 if it was archived")
	textVar(flags, &o.waitTimeout, "wait-timeout", "D", "with --wait: give up after this duration (default never)")
	flags.BoolVar(&o.json, "json", false, "print a JSON object instead of a line")
	cmd.GroupID = groupTasks
}

// options understands the flags that were given.
func (o *taskFlags) options(flags *pflag.FlagSet, now time.Time, p *problems) []tasks.Option {
	p.exclude(flags, "key", "id")
	opts := o.placement.options(flags, now, p)
	if o.key != "" {
		opts = append(opts, tasks.Key(o.key))
	}
	if o.id != "" && !p.flags["--id"] {
		id, err := tasks.ParseID(o.id)
		if err != nil {
			p.add("--id", "%s is no UUID such as 01234567-89ab-4cde-8f01-23456789abcd", wording.Quote(o.id))
		}
		opts = append(opts, tasks.ID(id))
	}
	return opts
}

// patience is how long --wait waits: 0 for without end.
func (o *taskFlags) patience(flags *pflag.FlagSet, p *problems) time.Duration {
	if !flags.Changed("wait-timeout") || o.waitTimeout == "" {
		return 0
	}
	if !o.wait {
		p.add("--wait-timeout", "has no meaning without --wait")
		return 0
	}
	d, err := when.Delay(o.waitTimeout)
	if err == nil && d == 0 {
		err = errors.New("is zero; want a duration such as 90s or 2h")
	}
	if err != nil {
		p.add("--wait-timeout", "%s %v", wording.Quote(o.waitTimeout), err)
	}
	return d
}

// conversationID reads the id of a conversation.
func conversationID(s string, p *problems) layer.ConversationID {
	if s == "" {
		return layer.ConversationID{}
	}
	id, err := layer.ParseConversationID(s)
	if err != nil {
		for _, field := range layer.FieldErrors(err) {
			p.add("--conversation", "%s", field.Problem)
		}
	}
	return id
}
