package layer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/uuid"
)

// longestPause bounds the wait between the attempts of one call. A longer
// Retry-After is the caller's to wait for.
const longestPause = 2 * time.Second

// do makes a call, repeating it shortly where that is safe and worth it.
func (c *Client) do(ctx context.Context, call *call) (*reply, error) {
	if err := call.encode(); err != nil {
		return nil, err
	}
	call.shown = c.basePath + call.path
	return c.repeat(ctx, call, func(number int) (*reply, error) {
		return c.measured(ctx, call, number, true, func(permit *permit) (*reply, error) {
			return c.exchange(ctx, call, permit)
		})
	})
}

// repeat makes attempts, numbered from 1, until one succeeds or another would be
// unsafe, useless or one too many.
func (c *Client) repeat(ctx context.Context, call *call, attempt func(number int) (*reply, error)) (*reply, error) {
	var (
		number  int
		unsure  bool // an attempt that failed may have been carried out
		last    error
		between = newPauses()
	)
	answer, err := backoff.RetryWithData(func() (*reply, error) {
		number++
		answer, err := attempt(number)
		if settled, ok := call.settle(err, unsure); ok {
			return settled, nil
		}
		if err == nil {
			return answer, nil
		}
		last, unsure = err, unsure || mayHaveRun(err)
		if number > c.retries || !call.mayRepeat() || !worthRepeating(err) {
			return nil, backoff.Permanent(err)
		}
		between.atLeast(err)
		return nil, err
	}, backoff.WithContext(between, ctx))
	if err != nil && last != nil && !errors.Is(err, last) { // the context ended during a pause
		return nil, fmt.Errorf("%w (not repeated: %w)", last, err)
	}
	return answer, err
}

// settle turns the errors into success that say that the work is done already.
func (c *call) settle(err error, unsure bool) (*reply, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return nil, false
	}
	gone := e.Status == http.StatusNotFound || e.Status == http.StatusGone
	switch {
	case e.Code == CodeIDInUse && c.madeBefore(e):
	case c.method == http.MethodDelete && unsure && gone: // by the attempt whose answer was lost
	default:
		return nil, false
	}
	return &reply{status: e.Status, header: http.Header{}}, true
}

// madeBefore tells whether an id_in_use means our own UUID, and takes over the
// resource that an earlier attempt made with it.
func (c *call) madeBefore(e *Error) bool {
	var made struct {
		ID string `json:"id"`
	}
	if c.dedupe == uuid.Nil || json.Unmarshal(e.Data, &made) != nil {
		return false
	}
	id, err := uuid.Parse(path.Base(made.ID))
	if err != nil || id != c.dedupe {
		return false
	}
	kind, _ := c.decode(mediaJSON, e.Data)
	return kind == "" // and so of the kind that was to be made
}

// mayHaveRun tells whether Layer may have carried out a request that failed. A
// 408 is no refusal: whoever gave up waiting may not be the one who does the work.
func mayHaveRun(err error) bool {
	if e, ok := errors.AsType[*TransportError](err); ok {
		return e.Kind != KindConnect && e.Kind != KindTLS && e.Kind != KindLimiter
	}
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Status >= 500 || e.Status == http.StatusRequestTimeout)
}

// worthRepeating tells failures that pass within a second from others. A timeout
// took its time already, and a 429 without a word on how long is for the
// caller to slow down on.
func worthRepeating(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		wait, asked := RetryAfter(err)
		if asked && wait > longestPause || !asked && e.Status == http.StatusTooManyRequests {
			return false
		}
		return IsTransient(err)
	}
	e, ok := errors.AsType[*TransportError](err)
	if !ok {
		return false
	}
	if timeout, isNet := errors.AsType[net.Error](e.Err); isNet && timeout.Timeout() {
		return false
	}
	switch e.Kind {
	case KindConnect, KindCut, KindBody, KindContentType:
		return true
	case KindTLS, KindTimeout, KindCanceled, KindTooLarge, KindLimiter:
		return false
	default:
		return false
	}
}

// pauses are exponential with jitter, and at least as long as Layer asked for.
type pauses struct {
	exponential *backoff.ExponentialBackOff
	asked       time.Duration
}

func newPauses() *pauses {
	return &pauses{exponential: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(100*time.Millisecond),
		backoff.WithMultiplier(3),
		backoff.WithRandomizationFactor(0.5),
		backoff.WithMaxInterval(time.Second),
		backoff.WithMaxElapsedTime(0), // the number of attempts is the bound
	)}
}

func (p *pauses) atLeast(err error) { p.asked, _ = RetryAfter(err) }

// NextBackOff implements backoff.BackOff.
func (p *pauses) NextBackOff() time.Duration { return max(p.exponential.NextBackOff(), p.asked) }

// Reset implements backoff.BackOff.
func (p *pauses) Reset() { p.exponential.Reset() }
