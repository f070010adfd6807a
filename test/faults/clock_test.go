//go:build faults && linux

package faults

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// skewed is how to build a worker whose clock is off by what FAULTS_CLOCK says: the overlay for the go command. libfaketime, which
// does this to other programs, does not reach those in Go: they read the time without
// the C library. So the package time itself is built with another Now.
var skewed = sync.OnceValues(func() (string, error) {
	dir := programs.Path("skewed")
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	original := filepath.Join(strings.TrimSpace(string(out)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	const (
		inNow  = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
		offset = `
var faultsClock = func() int64 {
	text, _ := syscall.Getenv("FAULTS_CLOCK")
	n, sign := int64(0), int64(1)
	for i, c := range text {
		switch {
		case i == 0 && c == '-':
			sign = -1
		case c >= '0' && c <= '9':
			n = n*10 + int64(c-'0')
		}
	}
	return sign * n
}()
`
	)
	text := string(source)
	if strings.Count(text, inNow) != 1 || strings.Contains(text, "\"syscall\"") {
		return "", &patternError{original}
	}
	text = strings.Replace(text, inNow, inNow+"\tsec += faultsClock\n", 1) + offset
	text = strings.Replace(text, "import (", "import (\n\t\"syscall\"", 1)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return "", err
	}
	return overlay, nil
})

// skewedWorker is one of ours.
var skewedWorker = sync.OnceValues(func() (string, error) {
	return buildSkewed("worker", "github.com/layerq/layerq/cmd/worker", "build")
})

// skewedBare is one of the comparison: this test, which plays it.
var skewedBare = sync.OnceValues(func() (string, error) {
	return buildSkewed("bare", "github.com/layerq/layerq/test/faults", "test", "-c")
})

func buildSkewed(name, of string, how ...string) (string, error) {
	overlay, err := skewed()
	if err != nil {
		return "", err
	}
	program := filepath.Join(filepath.Dir(overlay), name)
	return program, rig.GoTool(append(how, "-tags", "faults", "-overlay", overlay, "-o", program, of)...)
}

type patternError struct{ file string }

func (e *patternError) Error() string {
	return "the clock of a worker cannot be changed: " + e.file + " has no Now as this test knows it: look at clock_test.go"
}

// One worker of three has a clock of its own. In the first half nobody dies: no
// task of a living worker is run twice. In the second half the one with the other clock
// is killed, and one beside it: their tasks run again in time.
func TestClock_5_minutes_off(t *testing.T) {
	t.Parallel()
	path, err := skewedWorker()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, offset string }{
		{"ahead", "300"},
		{"behind", "-300"},
	} {
		row{name: "worker: clock 5 minutes " + c.name, compare: true, latency: 300 * time.Millisecond}.run(t, func(s *site) {
			calm, deadly := s.load(rowTasks()/2), s.load(rowTasks()-rowTasks()/2)
			program := path
			if s.engine == bare {
				var err error
				if program, err = skewedBare(); err != nil {
					s.t.Fatal(err)
				}
			}
			odd := s.WorkerOf(program, "FAULTS_CLOCK="+c.offset)
			s.Start(2)
			calm.enqueue(span() / 2)
			s.settle(time.Now(), patience)
			first := s.balance(calm, allowed{})

			deadly.since = s.emulator.Mark()
			killed := rig.Meanwhile(s.t, func() {
				<-time.After(span() / 4)
				odd.Kill()
				s.replace()
				s.Worker()
			})
			deadly.enqueue(span() / 2)
			b := s.close(deadly, killed(), allowed{repeats: anyNumber})
			b.Tasks += first.Tasks
			b.Effects += first.Effects
			b.Twice += first.Twice
			b.Lost += first.Lost
			s.record(b)
			s.within(b, recovery+span()/2)
		})
	}
}
