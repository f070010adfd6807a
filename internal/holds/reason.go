package holds

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/layerq/layerq/layer"
)

// Reason is why the fleet is held.
type Reason string

// The reasons.
const (
	// RetryAfter: the API said how long to wait.
	RetryAfter Reason = "retry_after"
	// RateLimit: the API said that it is too much, and not for how long.
	RateLimit Reason = "rate_limit"
	// Outage: nothing but failures, over the whole fleet.
	Outage Reason = "outage"
	// Credentials: the token, or the app, is refused.
	Credentials Reason = "credentials"
	// Suspended: the app is suspended.
	Suspended Reason = "app_suspended"
	// Redirect: the API is somewhere else.
	Redirect Reason = "redirect"
)

var reasons = []Reason{RetryAfter, RateLimit, Outage, Credentials, Suspended, Redirect}

// Reasons returns all reasons there are.
func Reasons() []Reason { return slices.Clone(reasons) }

// Longest bounds a hold that the API asked for. Then a probe asks whether it still means it.
const Longest = time.Hour

// A pause is how long a hold lasts if the API does not say: least at first, doubled with each
// failed probe up to most.
type pause struct{ least, most time.Duration }

var pauses = map[Reason]pause{
	RetryAfter: {time.Second, 10 * time.Second}, // if it says the same again and again
	RateLimit:  {time.Second, time.Minute},
	// The fleet is back some seconds after the API is: six calls a minute hurt nobody.
	Outage: {time.Second, 10 * time.Second},
	// Only a person ends these, mostly with another token, which does not wait.
	Credentials: {5 * time.Second, time.Minute},
	Suspended:   {5 * time.Second, time.Minute},
	Redirect:    {5 * time.Second, time.Minute},
}

// A finding is what an answer says about the API as a whole.
type finding struct {
	kind   findingKind
	reason Reason
	code   string        // of the answer, for people
	wait   time.Duration // that the API asked for, 0 if it did not
}

type findingKind int

const (
	nothing findingKind = iota // no attempt, or it was given up on our side
	alive                      // the API answered, with whatever
	failing                    // one failure; many in a row are an outage
	holding                    // the whole fleet is to be held at once
)

// own tells that only workers with the same credentials are concerned.
func (f finding) own() bool {
	return f.reason == Credentials || f.reason == Suspended || f.reason == Redirect
}

// find judges an answer. What concerns a single task, user or conversation is an answer of an API that is alive.
func (o Options) find(a layer.Answer) finding {
	f := finding{code: codeOf(a), wait: min(a.RetryAfter, Longest)}
	switch {
	case a.Status == 0:
		f.kind = findTransport(a.Err)
	case a.Status == http.StatusTooManyRequests && f.wait > 0, a.Status == http.StatusServiceUnavailable && f.wait > 0:
		f.kind, f.reason = holding, RetryAfter
	case a.Status == http.StatusTooManyRequests && o.FindsLimit:
		f.kind, f.reason = failing, RateLimit
	case a.Status == http.StatusTooManyRequests:
		f.kind, f.reason = holding, RateLimit
	case a.Status == http.StatusUnauthorized, a.Code == layer.CodeAuthenticationRequired, a.Code == layer.CodeInvalidAppID:
		f.kind, f.reason = holding, Credentials
	case a.Code == layer.CodeAppSuspended:
		f.kind, f.reason = holding, Suspended
	case a.Status >= 300 && a.Status < 400:
		f.kind, f.reason = holding, Redirect
	case a.Status >= 500, a.Status == http.StatusRequestTimeout:
		f.kind = failing
	case a.Err != nil: // a success that is none: a proxy's page, a damaged body
		f.kind = failing
	default:
		f.kind = alive
	}
	if f.kind == failing && f.reason == "" {
		f.reason = Outage
	}
	if f.reason != RetryAfter {
		f.wait = 0
	}
	return f
}

func findTransport(err error) findingKind {
	e, ok := errors.AsType[*layer.TransportError](err)
	if !ok {
		return nothing
	}
	switch e.Kind {
	case layer.KindConnect, layer.KindTLS, layer.KindTimeout, layer.KindCut:
		return failing
	case layer.KindCanceled, layer.KindLimiter, layer.KindContentType, layer.KindBody, layer.KindTooLarge:
	}
	return nothing
}

// codeOf names an answer in the words of metrics and of people: "503 service_unavailable", "timeout".
func codeOf(a layer.Answer) string {
	if e, ok := errors.AsType[*layer.TransportError](a.Err); ok {
		if a.Status != 0 {
			return strconv.Itoa(a.Status) + " " + string(e.Kind)
		}
		return string(e.Kind)
	}
	switch {
	case a.Status == 0:
		return "no answer"
	case a.Code != "":
		return strconv.Itoa(a.Status) + " " + string(a.Code)
	}
	return strconv.Itoa(a.Status)
}
