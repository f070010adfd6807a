package worker

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// Labels of metrics must be few, whatever comes out of the queue or from a
// server: anything not listed shares one label.

var knownTypes = func() map[string]bool {
	known := make(map[string]bool)
	for _, t := range tasks.Types() {
		known[t.Type] = true
	}
	return known
}()

var knownCodes = map[layer.Code]bool{
	layer.CodeServiceUnavailable: true, layer.CodeInvalidAppID: true, layer.CodeInvalidRequestID: true,
	layer.CodeAuthenticationRequired: true, layer.CodeAppSuspended: true, layer.CodeUserSuspended: true,
	layer.CodeRateLimitExceeded: true, layer.CodeRequestTimeout: true, layer.CodeInvalidOperation: true,
	layer.CodeInvalidRequest: true, layer.CodeInternalServerError: true, layer.CodeAccessDenied: true,
	layer.CodeNotFound: true, layer.CodeObjectDeleted: true, layer.CodeMissingProperty: true,
	layer.CodeInvalidProperty: true, layer.CodeInvalidEndpoint: true, layer.CodeInvalidHeader: true,
	layer.CodeConflict: true, layer.CodeMethodNotAllowed: true, layer.CodeParticipantBlocked: true,
	layer.CodeIDInUse: true,
}

func typeLabel(taskType string) string {
	if knownTypes[taskType] {
		return taskType
	}
	return "unknown"
}

// codeLabel names what an execution ended with, for logs and metrics.
func codeLabel(err error) string {
	if err == nil {
		return "ok"
	}
	if _, ok := errors.AsType[*expiredError](err); ok {
		return "expired"
	}
	if answer, ok := errors.AsType[*layer.Error](err); ok {
		return answerLabel(answer.Code, answer.Status)
	}
	if _, ok := errors.AsType[*tasks.SourceError](err); ok {
		return "source"
	}
	if failure, ok := errors.AsType[*layer.TransportError](err); ok {
		return string(failure.Kind)
	}
	if _, ok := errors.AsType[*panicError](err); ok {
		return "panic"
	}
	if _, ok := errors.AsType[*poisonError](err); ok {
		return "poison"
	}
	switch {
	case errors.Is(err, errDoneBefore):
		return "done_before"
	case errors.Is(err, errLost):
		return "lost"
	case errors.Is(err, errDrained):
		return "drained"
	}
	return "invalid"
}

func isExhausted(err error) bool {
	_, ok := errors.AsType[*exhaustedError](err)
	return ok
}

func answerLabel(code layer.Code, status int) string {
	switch {
	case knownCodes[code]:
		return string(code)
	case http.StatusText(status) != "":
		return "status_" + strconv.Itoa(status)
	}
	return "status_other"
}

// outcomeLabel names what became of a task, for metrics.
func outcomeLabel(o outcome, err error) string {
	if o != archive {
		return o.String()
	}
	if _, ok := errors.AsType[*panicError](err); ok {
		return "panicked"
	}
	if _, ok := errors.AsType[*expiredError](err); ok {
		return "expired"
	}
	if _, ok := errors.AsType[*poisonError](err); ok {
		return "poison"
	}
	if decide(err).counts || isExhausted(err) {
		return "archived"
	}
	return "invalid"
}
