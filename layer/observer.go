package layer

import (
	"context"
	"time"
)

// Observer is told of every HTTP attempt when it is over: for metrics, logs and
// traces. It is called from many goroutines and must not block.
type Observer interface {
	ObserveAttempt(ctx context.Context, attempt Attempt)
}

// ObserverFunc makes an [Observer] of a function.
type ObserverFunc func(ctx context.Context, attempt Attempt)

// ObserveAttempt calls f.
func (f ObserverFunc) ObserveAttempt(ctx context.Context, attempt Attempt) { f(ctx, attempt) }

// Attempt describes one HTTP attempt. It holds no token, body or user id, so all
// of it may be labels of a metric but Start and Duration.
type Attempt struct {
	// Operation is the resource and verb, such as "messages.send".
	Operation string
	// Method is the HTTP method.
	Method string
	// Number counts the attempts of one call from 1.
	Number int
	// Status is the HTTP status, 0 if there was none.
	Status int
	// Code is Layer's code if it answered with an error, and Kind what went
	// wrong if no usable answer came. Both are empty on success.
	Code Code
	Kind Kind
	// Start is when the attempt began, after the limiter gave its permit.
	Start time.Time
	// Duration is from Start until the answer was read to its end.
	Duration time.Duration
}
