package layer

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"time"
)

// measured makes one attempt: with a permit if it goes to the API, and told to the
// observers.
func (c *Client) measured(ctx context.Context, call *call, number int, limited bool, exchange func(*permit) (*reply, error)) (*reply, error) {
	var permit permit
	if limited {
		permit.limiter = c.limiter
	}
	if err := permit.acquire(ctx); err != nil {
		return nil, call.failed(limiterError(ctx, err))
	}
	start := time.Now()
	answer, err := exchange(&permit)
	permit.release(answerOf(answer, err))
	c.observe(ctx, attemptOf(call, number, start, answer, err))
	return answer, err
}

// exchange sends the request and reads the answer to its end.
func (c *Client) exchange(ctx context.Context, call *call, permit *permit) (*reply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errAttemptTimeout)
	defer cancel()
	request, err := c.request(permit.traced(ctx, call.method), call)
	if err != nil {
		return nil, err
	}
	response, err := c.api.Do(request)
	if err != nil {
		return nil, call.failed(transportError(ctx, err))
	}
	defer finish(response.Body)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, c.readError(ctx, call, response)
	}
	return readSuccess(ctx, call, response)
}

// failed completes an error with what was tried.
func (c *call) failed(err *TransportError) *TransportError {
	err.Method, err.Path = c.method, c.shown
	return err
}

func limiterError(ctx context.Context, err error) *TransportError {
	if ctx.Err() != nil {
		return &TransportError{Kind: KindCanceled, Err: err, Detail: ctx.Err().Error()}
	}
	return &TransportError{Kind: KindLimiter, Err: err, Detail: err.Error()}
}

func answerOf(answer *reply, err error) Answer {
	if answer != nil {
		return Answer{Status: answer.status}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return Answer{Status: e.Status, Code: e.Code, RetryAfter: e.RetryAfter}
	}
	if e, ok := errors.AsType[*TransportError](err); ok {
		return Answer{Status: e.Status, Err: err}
	}
	return Answer{Err: err}
}

func attemptOf(call *call, number int, start time.Time, answer *reply, err error) Attempt {
	attempt := Attempt{Operation: call.operation, Method: call.method, Number: number, Start: start, Duration: time.Since(start)}
	attempt.Status = answerOf(answer, err).Status
	attempt.Code = CodeOf(err)
	if e, ok := errors.AsType[*TransportError](err); ok {
		attempt.Kind = e.Kind
	}
	return attempt
}

// permit holds what the limiter granted for one attempt.
type permit struct {
	limiter  Limiter
	releases []func(Answer)
}

func (p *permit) acquire(ctx context.Context) error {
	if p.limiter == nil {
		return nil
	}
	release, err := p.limiter.Acquire(ctx)
	if err != nil {
		return err
	}
	if release != nil {
		p.releases = append(p.releases, release)
	}
	return nil
}

func (p *permit) release(answer Answer) {
	for _, release := range p.releases {
		release(answer)
	}
	p.releases = nil
}

// traced makes net/http's own repetition take a permit too. It sends a GET again
// when a kept-alive connection was cut before the answer, which the server counts
// as another request. (Other methods it repeats only if nothing was written.)
func (p *permit) traced(ctx context.Context, method string) context.Context {
	if p.limiter == nil || method != http.MethodGet {
		return ctx
	}
	ctx, cancel := context.WithCancelCause(ctx)
	connections := 0
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		connections++
		if connections == 1 {
			return
		}
		if err := p.acquire(ctx); err != nil {
			cancel(err)
		}
	}}
	return httptrace.WithClientTrace(ctx, trace)
}
