//go:build faults && linux

package faults

import (
	"testing"
	"time"

	"github.com/layerq/layerq/tasks"
)

// What is judged is judged right: a suite that sees nothing passes, too.

func TestVerdict_on_order(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, time.May, 1, 12, 0, 0, 0, time.UTC)
	second := func(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Second))) }
	now := func(n int, sent float64) *job { return &job{n: n, sent: second(sent), accepted: second(sent + 0.1)} }
	at := func(n int, sent, at float64) *job {
		return &job{n: n, sent: second(sent), accepted: second(sent + 0.1), at: second(at)}
	}
	in := func(n int, sent, in float64) *job {
		return &job{n: n, sent: second(sent), accepted: second(sent + 0.1), in: time.Duration(in * float64(time.Second))}
	}
	for name, c := range map[string]struct {
		lane []*job // in the order in which they took effect
		want int
	}{
		"as they were enqueued":                                  {[]*job{now(0, 0), now(1, 1), now(2, 1)}, 0},
		"one before two others":                                  {[]*job{now(2, 1), now(0, 0), now(1, 1)}, 1},
		"two before one that is enqueued with them":              {[]*job{now(1, 1), now(2, 1), now(0, 1)}, 2},
		"delayed, behind what was enqueued meanwhile":            {[]*job{now(1, 1), at(0, 0, 1.5)}, 0},
		"delayed, before what was enqueued meanwhile":            {[]*job{at(0, 0, 1.5), now(1, 1)}, 1},
		"delayed, before what was enqueued when it was due":      {[]*job{at(0, 0, 1.5), now(1, 2)}, 0},
		"delayed, behind what was enqueued when it was due":      {[]*job{now(1, 2), at(0, 0, 1.5)}, 1},
		"delayed, and another enqueued as it became due":         {[]*job{now(1, 1.95), at(0, 0, 1.5)}, 0},
		"delayed to the same second, as they were enqueued":      {[]*job{at(0, 0, 1.9), in(1, 0.5, 1)}, 0},
		"delayed to the same second, turned":                     {[]*job{in(1, 0.5, 1), at(0, 0, 1.9)}, 1},
		"delayed to another second, turned":                      {[]*job{at(0, 0, 3), at(1, 0, 2)}, 1},
		"delayed by what may be one second or the next":          {[]*job{in(1, 0.95, 1), at(0, 0, 2)}, 0},
		"delayed to a time that had passed when it was accepted": {[]*job{at(0, 0, 0.05), now(1, 0.2)}, 0},
		"the last before the first, one between that may be any": {[]*job{now(3, 2.5), in(1, 0.95, 1), at(0, 0, 2)}, 1},
	} {
		if got := turned(c.lane); got != c.want {
			t.Errorf("%s: %d are turned, want %d", name, got, c.want)
		}
	}
}

func TestVerdict_on_calls_without_a_UUID(t *testing.T) {
	t.Parallel()
	block, unblock := &job{task: tasks.BlockUser{Owner: "alice", User: "bob"}}, &job{task: tasks.UnblockUser{Owner: "alice", User: "bob"}}
	jobs := []*job{block, unblock, block}
	const blocked, unblocked = "alice/blocks", "alice/blocks/bob"
	for name, c := range map[string]struct {
		calls []string
		want  int
	}{
		"one for each":                     {[]string{blocked, unblocked, blocked}, 3},
		"one made again":                   {[]string{blocked, blocked, unblocked, blocked}, 3},
		"one is missing":                   {[]string{blocked, unblocked}, 2},
		"one is missing, another repeated": {[]string{blocked, blocked, blocked}, 1},
		"the first came last":              {[]string{unblocked, blocked, blocked}, 1},
		"none":                             {nil, 0},
	} {
		if got := len(called(jobs, c.calls)); got != c.want {
			t.Errorf("%s: %d have a call of their own, want %d", name, got, c.want)
		}
	}
}
