//go:build faults && linux

package faults

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// mechanisms are what the promise leans on: without one, a row fails in the way that it is there for.
var mechanisms = []struct{ name, what, test, row, fails string }{
	{"dedupe", "the dedupe UUID", "TestLayer_503_after_the_work", "Layer: 503 after the work, 30 %", `has [2-9] effects`},
	{"marker", "the completion marker", "TestStopped_after_the_answer", "worker: SIGSTOP after the answer, until the lease is over", `\d+ calls were made after the task had been answered with success`},
	{"fence", "the fence (a worker whose lease is over makes no call)", "TestStopped_before_the_call", "worker: SIGSTOP between taking a task and calling", `\d+ calls were made after the task had been answered with success`},
	{"patience", "patience with Redis when a task is done", "TestRedis_frozen_restarted_killed", "Redis: restarted", `\d+ calls were made after the task had been answered with success`},
	{"lanes", "lanes", "TestDeploy_twice", "worker: all replaced, twice", `\d+ messages came before an earlier one of their conversation`},
	{"recovery", "recovery of expired leases", "TestKill_at_each_step", "worker: kill -9 before the call", `not settled \S+ after the fault`},
	{"handback", "the hand-back of a worker that ends", "TestDeploy_cut_off", "worker: all replaced, calls cut off", `\d+ tasks are left in the hands of workers that have ended`},
	{"repeats", "reading the answer to a repeated call (404)", "TestLayer_503_after_deletions", "Layer: 503 after the work, deletions", `404 not_found: The referenced identity cannot be found`},
	{"crashes", "crashes that are no attempts", "TestKill_at_each_step", "worker: kill -9 during the call", `\d+ tasks have spent more than one attempt`},
	{"deadletters", "dead letters that are kept", "TestArchive_beyond_10000_and_replayed", "archive: more than 10,000", `not within \S+: the archive has all again`},
	{"poison", "the end of poison", "TestPoison_among_good_ones", "task: poison among good ones", `not settled \S+ after the fault`},
}

// Each mechanism is needed: without it, its row fails. The rows run in processes of their own, in the short
// form.
func TestMechanisms_are_needed(t *testing.T) {
	t.Parallel()
	if !*long {
		t.Skip("only in the long form: most of it is the wait for what does not happen")
	}
	for _, m := range mechanisms {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			if m.name != "poison" { // whose row waits nearly all the time
				takePlace(t)
			}
			seed := strconv.FormatUint(seeds[0], 10)
			cmd := exec.CommandContext(t.Context(), exe, "-test.v", "-test.run", "^"+m.test+"$")
			cmd.Env = append(os.Environ(), withoutName+"="+m.name, rowName+"="+m.row, seedsName+"="+seed, builtPrograms+"="+string(programs))
			begin := time.Now()
			out, err := cmd.CombinedOutput()
			found := regexp.MustCompile(m.fails).Find(out)
			if err == nil || found == nil {
				t.Errorf("without %s, %s passes, or fails in another way: %v\n%s", m.what, m.row, err, out)
				return
			}
			t.Logf("without %s, with seed %s, %q fails after %v: %s", m.what, seed, m.row, time.Since(begin).Round(time.Second), found)
			results.lacks(m.name, string(found))
		})
	}
}

const (
	// withoutName is the variable with the mechanisms to leave out. Those that are in the
	// worker look at it themselves, see package failpoint.
	withoutName = "FAULTS_WITHOUT"
	// rowName is the variable with the one row to run; all if it is empty.
	rowName = "FAULTS_ROW"
)

// without tells whether this run is to do without a mechanism.
func without(mechanism string) bool {
	return slices.Contains(strings.Split(os.Getenv(withoutName), ","), mechanism)
}

// noRecovery puts off the look for expired leases, as the workers themselves do for
// some seconds when Redis was away.
func (s *site) noRecovery() {
	s.t.Helper()
	for _, q := range queue.Names {
		if err := s.redis.Client.HSet(s.t.Context(), queue.LookKey(q), "wait", time.Now().Add(time.Hour).UnixMilli()).Err(); err != nil {
			s.t.Fatal(err)
		}
	}
}
