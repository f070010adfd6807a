package worker

import (
	"errors"
	"net/http"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// decide maps the error of one execution to what happens next. It goes by
// Layer's code, never by a text; where an answer has no code, by its status. Its
// test holds the table in docs/errors.md.
func decide(err error) verdict {
	if err == nil {
		return verdict{done, true}
	}
	if _, ok := errors.AsType[*expiredError](err); ok { // also between two calls of one execution
		return verdict{archive, false}
	}
	switch {
	case errors.Is(err, errDoneBefore):
		return verdict{doneBefore, false}
	case errors.Is(err, errLost):
		return verdict{abandon, false}
	case errors.Is(err, errDrained), isHeld(err):
		return verdict{handBack, false}
	}
	if answer, ok := errors.AsType[*layer.Error](err); ok {
		return verdict{decideAnswer(answer), true}
	}
	if source, ok := errors.AsType[*tasks.SourceError](err); ok { // not Layer's answer, whatever is underneath
		if source.Temporary {
			return verdict{retry, false}
		}
		return verdict{archive, false}
	}
	if failure, ok := errors.AsType[*layer.TransportError](err); ok {
		// An answer that cannot be read is one: a proxy that says 200 to everything
		// must not keep a task going for ever.
		return verdict{retry, failure.Status != 0}
	}
	// Ours, and the same the next time: an invalid payload, an expired task, a
	// panic, a request that was refused before it was sent.
	return verdict{archive, false}
}

// spends says whether an execution that is to be retried uses up one of the
// attempts that the task may have. A hold never does: nothing is wrong with the
// task. A source that cannot be had has nothing to do with Layer and its
// outages, and must not be tried for ever.
func spends(v verdict, err error) bool {
	_, source := errors.AsType[*tasks.SourceError](err)
	return v.outcome == retry && (v.counts || source)
}

func decideAnswer(answer *layer.Error) outcome {
	switch answer.Code {
	case layer.CodeRateLimitExceeded, // of the whole app
		layer.CodeAuthenticationRequired, layer.CodeAppSuspended, layer.CodeInvalidAppID:
		return hold

	case layer.CodeServiceUnavailable, layer.CodeInternalServerError, layer.CodeRequestTimeout:
		return retry

	case layer.CodeUserSuspended, layer.CodeAccessDenied, // of this user or conversation only
		layer.CodeNotFound, layer.CodeObjectDeleted,
		layer.CodeMissingProperty, layer.CodeInvalidProperty, layer.CodeInvalidOperation, layer.CodeParticipantBlocked,
		layer.CodeInvalidRequest, layer.CodeInvalidRequestID,
		layer.CodeInvalidEndpoint, layer.CodeInvalidHeader, layer.CodeMethodNotAllowed,
		layer.CodeConflict,
		// Ours would have been a success: the client has compared the resource.
		layer.CodeIDInUse:
		return archive
	}
	switch {
	case answer.Status == http.StatusTooManyRequests, answer.Status == http.StatusUnauthorized:
		return hold
	case answer.Status >= 300 && answer.Status < 400: // the base URL is wrong, and no task is
		return hold
	case layer.IsTransient(answer):
		return retry
	}
	return archive
}
