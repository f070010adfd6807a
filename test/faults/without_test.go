//go:build faults && linux

package faults

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// Each mechanism is needed: without it, a row fails, in the way that it is there for. The rows
// run in a process of their own, in the short form.
func TestMechanisms_are_needed(t *testing.T) {
	t.Parallel()
	if !*long {
		t.Skip("only in the long form: most of it is the wait for what does not happen")
	}
	for _, c := range []struct{ mechanism, row, fails string }{
		{"dedupe", "TestLayer_503_after_the_work", `has [2-9] effects`},
		{"marker", "TestStopped_after_the_answer", `calls were made after the task had been answered`},
		{"fence", "TestStopped_before_the_call", `calls were made after the task had been answered`},
		{"patience", "TestRedis_frozen_restarted_killed/restarted", `calls were made after the task had been answered`},
		{"lanes", "TestDeploy_twice", `came before an earlier one`},
		{"recovery", "TestKill_every_2_seconds", `not settled`},
		{"poison", "TestPoison_among_good_ones", `not settled`},
	} {
		t.Run(c.mechanism, func(t *testing.T) {
			t.Parallel()
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			var pattern []string
			for part := range strings.SplitSeq(c.row, "/") {
				pattern = append(pattern, "^"+part+"$")
			}
			cmd := exec.CommandContext(t.Context(), exe, "-test.v", "-test.run", strings.Join(pattern, "/"))
			cmd.Env = append(os.Environ(), "FAULTS_WITHOUT="+c.mechanism, builtPrograms+"="+programs)
			begin := time.Now()
			out, err := cmd.CombinedOutput()
			found := regexp.MustCompile(".*" + c.fails + ".*").Find(out)
			if err == nil || found == nil {
				t.Errorf("without %s, %s passes, or fails in another way: %v\n%s", c.mechanism, c.row, err, out)
				return
			}
			t.Logf("without %s, %s fails after %v: %s", c.mechanism, c.row, time.Since(begin).Round(time.Second), found)
		})
	}
}

// without tells whether this run is to do without a mechanism. Those that are in the
// worker look for themselves, see package failpoint.
func without(mechanism string) bool {
	return slices.Contains(strings.Split(os.Getenv("FAULTS_WITHOUT"), ","), mechanism)
}

// noRecovery puts off the look for expired leases, as the workers themselves do for
// some seconds when Redis was away.
func (s *site) noRecovery() {
	s.t.Helper()
	for _, q := range queue.Names {
		if err := s.redis.rdb.HSet(s.t.Context(), "layerq:{"+q+"}:look", "wait", time.Now().Add(time.Hour).UnixMilli()).Err(); err != nil {
			s.t.Fatal(err)
		}
	}
}
