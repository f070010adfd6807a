package layer

import (
	"context"
	"errors"
	"time"
)

// Limiter decides when the next HTTP attempt may start. It may be shared by
// clients and processes; all methods are called from many goroutines.
type Limiter interface {
	// Acquire waits for permission to make one HTTP attempt, and is called just
	// before each, the short retries inside a call included. An error, which
	// may be that of ctx, gives up the call without an attempt.
	//
	// release is called exactly once after the answer was read to its end, or the
	// attempt failed.
	Acquire(ctx context.Context) (release func(Answer), err error)
}

// Answer is what a [Limiter] learns of an attempt.
type Answer struct {
	// Status is the HTTP status, 0 if there was none.
	Status int
	// Code is Layer's name of the error, empty for a success and where Layer gave none.
	Code Code
	// RetryAfter is how long Layer asked to wait, 0 if it did not.
	RetryAfter time.Duration
	// Err is why there was no usable answer, nil otherwise.
	Err error
}

// ErrNoAttempt is the Err of an [Answer] where no attempt was made after all: one
// limiter in a row of them gave its permission and the next did not.
var ErrNoAttempt = errors.New("layer: no attempt was made")
