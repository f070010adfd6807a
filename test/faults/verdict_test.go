//go:build faults && linux

package faults

import (
	"testing"

	"github.com/layerq/layerq/tasks"
)

// What is judged is judged right: a suite that sees nothing passes, too.

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
