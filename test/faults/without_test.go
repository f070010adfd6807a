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

// Each mechanism is needed: without it, its row fails. The rows run in processes of their own, in the short
// form.
func TestMechanisms_are_needed(t *testing.T) {
	t.Parallel()
	if !*long {
		t.Skip("only in the long form: most of it is the wait for what does not happen")
	}
	for _, m := range Mechanisms {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			if m.Name != "poison" { // whose row waits nearly all the time
				takePlace(t)
			}
			seed := strconv.FormatUint(seeds[0], 10)
			cmd := exec.CommandContext(t.Context(), exe, "-test.v", "-test.run", "^"+m.Test+"$")
			cmd.Env = append(os.Environ(), withoutName+"="+m.Name, rowName+"="+m.Row, seedsName+"="+seed, builtPrograms+"="+string(programs))
			begin := time.Now()
			out, err := cmd.CombinedOutput()
			found := regexp.MustCompile(m.Fails).Find(out)
			if err == nil || found == nil {
				t.Errorf("without %s, %s passes, or fails in another way: %v\n%s", m.What, m.Row, err, out)
				return
			}
			t.Logf("without %s, with seed %s, %q fails after %v: %s", m.What, seed, m.Row, time.Since(begin).Round(time.Second), found)
			results.lacks(m.Name, string(found))
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
