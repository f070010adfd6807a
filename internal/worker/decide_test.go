package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// A decision is one row of the table in docs/errors.md.
type decision struct {
	what string // as the table says it
	err  error
	want verdict
	why  string
}

func answer(status int, code layer.Code) error { return &layer.Error{Status: status, Code: code} }

func failure(kind layer.Kind, status int) error {
	return &layer.TransportError{Kind: kind, Status: status}
}

var decisions = []decision{
	{"success", nil, verdict{done, true}, "the effect took place; its result is kept"},

	{"429 `rate_limit_exceeded`", answer(429, layer.CodeRateLimitExceeded), verdict{hold, true}, "the app is too fast, not the task; `Retry-After` is waited at least"},
	{"401 `authentication_required`", answer(401, layer.CodeAuthenticationRequired), verdict{hold, true}, "the token is wrong or revoked: the same for every task"},
	{"403 `app_suspended`", answer(403, layer.CodeAppSuspended), verdict{hold, true}, "the same for every task"},
	{"403 `invalid_app_id`", answer(403, layer.CodeInvalidAppID), verdict{hold, true}, "the same for every task"},
	{"3xx", answer(308, ""), verdict{hold, true}, "`LAYER_BASE_URL` is not where the API is; redirects would take the token along"},

	{"503 `service_unavailable`", answer(503, layer.CodeServiceUnavailable), verdict{retry, true}, "an outage passes"},
	{"500 `internal_server_error`", answer(500, layer.CodeInternalServerError), verdict{retry, true}, "often passes; the dedupe UUID makes it safe"},
	{"408 `request_timeout`", answer(408, layer.CodeRequestTimeout), verdict{retry, true}, "the server waited too long; the call may have been carried out"},
	{"502, 504 and any other 5xx", answer(504, ""), verdict{retry, true}, "a gateway's answer; the call may have been carried out"},

	{"403 `user_suspended`", answer(403, layer.CodeUserSuspended), verdict{archive, true}, "this user only; replay when the user is back"},
	{"403 `access_denied`, or without a code", answer(403, layer.CodeAccessDenied), verdict{archive, true}, "this conversation only, for example of a former participant"},
	{"404 `not_found`", answer(404, layer.CodeNotFound), verdict{archive, true}, "there is no such conversation or user"},
	{"410 `object_deleted`", answer(410, layer.CodeObjectDeleted), verdict{archive, true}, "it was deleted"},
	{"422 `missing_property`", answer(422, layer.CodeMissingProperty), verdict{archive, true}, "the same request is refused again"},
	{"422 `invalid_property`", answer(422, layer.CodeInvalidProperty), verdict{archive, true}, "the same request is refused again"},
	{"422 `invalid_operation`", answer(422, layer.CodeInvalidOperation), verdict{archive, true}, "the same request is refused again"},
	{"422 `participant_blocked`", answer(422, layer.CodeParticipantBlocked), verdict{archive, true}, "until somebody unblocks"},
	{"400 `invalid_request`", answer(400, layer.CodeInvalidRequest), verdict{archive, true}, "the same request is refused again"},
	{"400 `invalid_request_id`", answer(400, layer.CodeInvalidRequestID), verdict{archive, true}, "the dedupe UUID is refused"},
	{"404 `invalid_endpoint`", answer(404, layer.CodeInvalidEndpoint), verdict{archive, true}, "the server does not have this operation"},
	{"405 `method_not_allowed`", answer(405, layer.CodeMethodNotAllowed), verdict{archive, true}, "the server does not have this operation"},
	{"406 `invalid_header`", answer(406, layer.CodeInvalidHeader), verdict{archive, true}, "the server does not speak this version"},
	{"409 `conflict`", answer(409, layer.CodeConflict), verdict{archive, true}, "the distinct conversation exists with other metadata"},
	{"409 `id_in_use`", answer(409, layer.CodeIDInUse), verdict{archive, true}, "the dedupe UUID belongs to something else; for our own resource it is a success"},
	{"any other 4xx", answer(418, ""), verdict{archive, true}, "what is wrong is the request"},

	{"no connection", failure(layer.KindConnect, 0), verdict{retry, false}, "nobody answered"},
	{"no secure connection", failure(layer.KindTLS, 0), verdict{retry, false}, "nobody answered that can be trusted"},
	{"no answer within `LAYER_TIMEOUT`", failure(layer.KindTimeout, 0), verdict{retry, false}, "nobody answered; the dedupe UUID makes it safe"},
	{"the connection is cut", failure(layer.KindCut, 0), verdict{retry, false}, "nobody answered; the dedupe UUID makes it safe"},
	{"the execution takes too long", failure(layer.KindCanceled, 0), verdict{retry, false}, "nobody answered"},
	{"no permit to call", failure(layer.KindLimiter, 0), verdict{retry, false}, "our own limit"},
	{"no call, the fleet is held", &layer.TransportError{Kind: layer.KindLimiter, Err: &holds.HeldError{}}, verdict{handBack, false}, "see [holds](holds.md)"},
	{"2xx, but no JSON", failure(layer.KindContentType, 200), verdict{retry, true}, "a proxy answered in Layer's place"},
	{"2xx, but not the resource", failure(layer.KindBody, 201), verdict{retry, true}, "the answer is damaged; repeating fetches it"},
	{"2xx, but too large", failure(layer.KindTooLarge, 200), verdict{retry, true}, "not Layer's answer"},

	{"a `source` cannot be had for now", &tasks.SourceError{Temporary: true, Err: failure(layer.KindTimeout, 503)}, verdict{retry, false}, "the source's host, not Layer; given up after as many failures as a task has attempts"},
	{"a `source` is not to be had", &tasks.SourceError{}, verdict{archive, false}, "not there, too large, or not allowed: no message is sent"},

	{"the payload is invalid", &tasks.InvalidError{Err: errors.New("x")}, verdict{archive, false}, "not JSON, an unknown type, `v` or field, a wrong value: no call is made"},
	{"refused before it was sent", &layer.FieldError{Field: "parts", Problem: "is empty"}, verdict{archive, false}, "no call is made"},
	{"not an asynq task", &undecodableError{"x"}, verdict{archive, false}, "no call is made"},
	{"`expires` has passed", &expiredError{at: time.Now()}, verdict{archive, false}, "no call is made"},
	{"its worker died 5 times in a row", &poisonError{5}, verdict{archive, false}, "it may be what kills them: look at it before it is replayed"},
	{"done before", errDoneBefore, verdict{doneBefore, false}, "it was delivered again after an execution that succeeded: no call is made"},
	{"the worker stops", errDrained, verdict{handBack, false}, "another worker goes on with it"},
	{"the lease ended", errLost, verdict{abandon, false}, "another worker has the task, or will: this one makes no further call, and hands it back if nobody has it yet"},
	{"a panic", &panicError{value: "x"}, verdict{archive, false}, "a bug; the stack is in the log"},
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for _, c := range decisions {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			if got := decide(c.err); got != c.want {
				t.Errorf("decide(%v) = %v, counts %t; want %v, counts %t", c.err, got.outcome, got.counts, c.want.outcome, c.want.counts)
			}
			if c.err == nil {
				return
			}
			if got := decide(fmt.Errorf("wrapped: %w", c.err)); got != c.want {
				t.Errorf("wrapped, it is %v", got)
			}
			if got := decide(&exhaustedError{25, c.err}); got.counts != c.want.counts {
				t.Errorf("exhausted, it counts: %t", got.counts)
			}
		})
	}
}

// An answer goes before what ended the repetitions after it.
func TestDecide_answer_and_the_end_of_the_context(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("%w (not repeated: %w)", answer(503, layer.CodeServiceUnavailable), context.Canceled)
	if got, want := decide(err), (verdict{retry, true}); got != want {
		t.Errorf("decide(%v) = %v, want %v", err, got, want)
	}
}

// The table in docs/errors.md is this test's; -update writes it.
func TestDecide_is_documented(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- decide: begin -->\n", "<!-- decide: end -->\n"
	page, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(page), begin)
	_, tail, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("docs/errors.md lacks %q or %q", begin, end)
	}
	var table bytes.Buffer
	table.WriteString("| what came of the call | what happens | an attempt | why |\n|---|---|---|---|\n")
	for _, c := range decisions {
		counts := "no"
		if c.want.counts {
			counts = "yes"
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", c.what, c.want.outcome, counts, c.why)
	}
	golden.Equal(t, "../../../docs/errors.md", []byte(head+begin+table.String()+end+tail))
}

func TestCodeLabel_is_one_of_few(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "ok"},
		{answer(404, layer.CodeNotFound), "not_found"},
		{answer(404, "whatever_a_server_says"), "status_404"},
		{answer(504, ""), "status_504"},
		{answer(799, ""), "status_other"},
		{failure(layer.KindConnect, 0), "connect"},
		{&tasks.SourceError{Temporary: true, Err: failure(layer.KindConnect, 0)}, "source"},
		{&expiredError{}, "expired"},
		{&panicError{}, "panic"},
		{errors.New("x"), "invalid"},
	} {
		if got := codeLabel(c.err); got != c.want {
			t.Errorf("codeLabel(%v) = %q, want %q", c.err, got, c.want)
		}
	}
	if got := typeLabel("message:send_but_longer"); got != "unknown" {
		t.Errorf("an unknown type is labelled %q", got)
	}
	for _, c := range decisions {
		if e, ok := errors.AsType[*layer.Error](c.err); ok && e.Code != "" && !knownCodes[e.Code] {
			t.Errorf("%s has no label", e.Code)
		}
	}
}
