package layer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Error is an answer of Layer other than success. It never holds the token, nor
// what was sent.
//
// Ask for a code with [CodeOf] or errors.Is(err, layer.CodeNotFound), and for
// the whole with errors.As into a *Error. Where the body says nothing (it may be
// empty, plain text, HTML or cut off), Code follows from the status if that has
// one meaning only.
//
// Layer docs: Platform API, errors.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Code and Number are Layer's names of the error; empty and 0 if unknown.
	Code   Code
	Number int
	// Message is Layer's own text, shortened.
	Message string
	// Property is the offending property, and Header the offending header, if
	// Layer named one.
	Property, Header string
	// DocURL is where Layer documents the error.
	DocURL string
	// Data is what came with the error: on conflicts, a whole resource.
	Data json.RawMessage
	// RetryAfter is how long Layer asks to wait; 0 if it does not say.
	RetryAfter time.Duration
	// Location is where a redirect points to. It is not followed: the token
	// would go along.
	Location string
	// Method and Path are the request's.
	Method, Path string
}

// Error tells what was tried, what came back and what to do:
//
//	layer: POST /apps/.../messages: 422 missing_property (parts): Object is missing required member 'parts'
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "layer: %s %s: %d", e.Method, e.Path, e.Status)
	switch {
	case e.Code != "":
		b.WriteString(" " + string(e.Code))
	case http.StatusText(e.Status) != "":
		b.WriteString(" " + http.StatusText(e.Status))
	}
	if named := e.Property + e.Header; named != "" {
		b.WriteString(" (" + named + ")")
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if todo := e.todo(); todo != "" {
		b.WriteString("; " + todo)
	}
	return b.String()
}

func (e *Error) todo() string {
	switch {
	case e.RetryAfter > 0:
		return "wait " + e.RetryAfter.Round(time.Millisecond).String()
	case e.Status >= 300 && e.Status < 400 && strings.HasPrefix(e.Path, "/"): // and not a storage's URL
		return "redirects are not followed: set the base URL to where the API is"
	default:
		return advice[e.Code]
	}
}

// Is makes errors.Is(err, layer.CodeNotFound) work.
func (e *Error) Is(target error) bool {
	code, isCode := target.(Code)
	return isCode && code != "" && code == e.Code
}

// CodeOf gives Layer's code for err, or "" if Layer gave none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// Answered tells whether Layer answered with a status other than success.
// It is false for nil, for requests refused before they were sent, and for
// everything that happened on the way (see [TransportError]).
func Answered(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return ok
}

// RetryAfter gives how long Layer asked to wait, if it did.
func RetryAfter(err error) (time.Duration, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.RetryAfter <= 0 {
		return 0, false
	}
	return e.RetryAfter, true
}

// IsTransient tells whether the same request may succeed later: Layer was
// limiting, timed out or failed (408, 429, 5xx), or no usable answer came back
// ([TransportError]). Repeat creating requests only with the same dedupe UUID.
func IsTransient(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooManyRequests || e.Status >= 500
	}
	_, ok := errors.AsType[*TransportError](err)
	return ok
}
