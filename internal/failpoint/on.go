//go:build faults && linux

package failpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// soon is how long after [Soon] its rules apply: a request has left by then, and
// an emulator that answers later than that has not answered.
const soon = 20 * time.Millisecond

// rule is one of FAULTS_FAILPOINT.
type rule struct {
	point  Point
	signal syscall.Signal
	at     int    // how often the point must be reached; 0 with has
	has    []byte // what the payload must contain
	count  int
}

var (
	mu    sync.Mutex // guards the counts of rules
	rules = mustParse(os.Getenv("FAULTS_FAILPOINT"))

	without atomic.Pointer[[]Mechanism]
)

func init() {
	var out []Mechanism
	for name := range strings.SplitSeq(os.Getenv("FAULTS_WITHOUT"), ",") {
		out = append(out, Mechanism(name))
	}
	Leave(out...)
}

// mustParse panics about a rule that it does not understand: a fault suite whose
// faults do not happen would pass.
func mustParse(list string) []*rule {
	var parsed []*rule
	for text := range strings.SplitSeq(list, ",") {
		if text == "" {
			continue
		}
		r, err := parse(text)
		if err != nil {
			panic(fmt.Sprintf("FAULTS_FAILPOINT: %q: %v", text, err))
		}
		parsed = append(parsed, r)
	}
	return parsed
}

func parse(text string) (*rule, error) {
	fields := strings.SplitN(text, ":", 3)
	if len(fields) != 3 {
		return nil, errors.New("want POINT:kill|stop:N|has=TEXT")
	}
	r := &rule{point: Point(fields[0])}
	if !slices.Contains([]Point{BeforeCall, DuringCall, AfterCall, AfterAck}, r.point) {
		return nil, errors.New("there is no such point")
	}
	switch fields[1] {
	case "kill":
		r.signal = syscall.SIGKILL
	case "stop":
		r.signal = syscall.SIGSTOP
	default:
		return nil, errors.New("want kill or stop")
	}
	if has, ok := strings.CutPrefix(fields[2], "has="); ok {
		r.has = []byte(has)
		return r, nil
	}
	var err error
	if r.at, err = strconv.Atoi(fields[2]); err != nil || r.at < 1 {
		return nil, errors.New("want a number from 1, or has=TEXT")
	}
	return r, nil
}

// Reach applies the rules of a point to the process; payload is the task's, nil
// where it is not at hand.
func Reach(point Point, payload []byte) {
	for _, r := range rules {
		if r.point == point && r.applies(payload) {
			signal(r.signal)
		}
	}
}

// Soon is [Reach] for a point in the middle of something: the rules apply a moment later.
func Soon(point Point) {
	for _, r := range rules {
		if r.point == point && r.applies(nil) {
			time.AfterFunc(soon, func() { signal(r.signal) })
		}
	}
}

func (r *rule) applies(payload []byte) bool {
	if r.has != nil {
		return bytes.Contains(payload, r.has)
	}
	mu.Lock()
	defer mu.Unlock()
	r.count++
	return r.count == r.at
}

// signal does not return for SIGKILL, and for SIGSTOP only when the process goes on.
func signal(s syscall.Signal) {
	// To this thread: one sent to the process may find another thread, and this one
	// would run on until it is told to stop.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.Tgkill(os.Getpid(), syscall.Gettid(), s); err != nil {
		panic(fmt.Sprintf("failpoint: %v", err))
	}
	if s == syscall.SIGKILL {
		select {}
	}
}

// Without tells whether a mechanism is to be left out.
func Without(m Mechanism) bool { return slices.Contains(*without.Load(), m) }

// Leave sets which mechanisms are left out from now on, and returns true.
func Leave(out ...Mechanism) bool {
	without.Store(&out)
	return true
}
