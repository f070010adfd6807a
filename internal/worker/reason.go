package worker

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Errors of our own, as decide gets them. Their texts are what a person reads in
// the archive.
type (
	expiredError struct {
		at    time.Time
		tried bool   // a call may have been made before
		last  string // what an earlier execution failed with, if one did
	}
	undecodableError struct{ why string }
	panicError       struct {
		taskType string
		value    any
		stack    []byte
	}
	poisonError    struct{ crashes int }
	exhaustedError struct {
		attempts int
		last     error
	}
)

func (e *expiredError) Error() string {
	text := "expired at " + e.at.UTC().Format(time.RFC3339)
	switch {
	case e.last != "":
		return text + ", after an attempt that failed: " + e.last
	case e.tried:
		return text + ": it is not tried again"
	}
	return text + ": it was not executed"
}

func (e *undecodableError) Error() string {
	return e.why + ": it was not executed"
}

// Error shows the value of a panic only if the runtime made it: any other may
// hold what somebody wrote.
func (e *panicError) Error() string {
	if err, ok := e.value.(runtime.Error); ok {
		return fmt.Sprintf("panic while executing %s: %v", e.taskType, err)
	}
	return fmt.Sprintf("panic while executing %s: a %T", e.taskType, e.value)
}

func (e *poisonError) Error() string {
	return fmt.Sprintf("its worker died, or lost Redis, %d times in a row while it had this task: it is not executed again", e.crashes)
}

func (e *exhaustedError) Error() string {
	return fmt.Sprintf("given up after %d attempts: %v", e.attempts, e.last)
}

func (e *exhaustedError) Unwrap() error { return e.last }

// Why an execution ended, or did not begin.
var (
	errDrained    = errors.New("the worker stops")
	errTimeout    = errors.New("the execution took too long")
	errLost       = errors.New("the task is no longer this worker's: its lease ended")
	errDoneBefore = errors.New("done before")
)

const maxReason = 1024

// reasonOf is an error's text as asynq can store it: it cannot encode invalid
// UTF-8, and a task whose reason it cannot encode would stay active and run
// again and again.
func reasonOf(err error) string {
	text := strings.ToValidUTF8(err.Error(), "�")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
