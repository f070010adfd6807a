package layer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   Error
	}{
		"as recorded": {
			422, `{"url":"https://developer.layer.com/docs/platform","data":{"property":"participants"},"code":104,"id":"missing_property","message":"Object is missing required member 'participants'"}`,
			Error{Code: CodeMissingProperty, Number: 104, Property: "participants", Message: "Object is missing required member 'participants'", DocURL: "https://developer.layer.com/docs/platform"},
		},
		"a header":                     {406, `{"id":"invalid_header","code":107,"data":{"header":"Accept"}}`, Error{Code: CodeInvalidHeader, Number: 107, Header: "Accept"}},
		"without url":                  {400, ` {"id":"invalid_request","code":10,"message":"A request body is required."} `, Error{Code: CodeInvalidRequest, Number: 10, Message: "A request body is required."}},
		"the name of June 2015":        {409, `{"id":"resource_conflict","code":108}`, Error{Code: CodeConflict, Number: 108}},
		"id alone":                     {409, `{"id":"id_in_use"}`, Error{Code: CodeIDInUse, Number: 111}},
		"number alone":                 {409, `{"code":111}`, Error{Code: CodeIDInUse, Number: 111}},
		"number as text":               {409, `{"code":"111"}`, Error{Code: CodeIDInUse, Number: 111}},
		"a code of another server":     {422, `{"id":"too_cute","code":999}`, Error{Code: "too_cute", Number: 999}},
		"plain text":                   {404, "The requested resource could not be found.", Error{Code: CodeNotFound, Number: 102, Message: "The requested resource could not be found."}},
		"HTML":                         {502, "<html><body>nginx</body></html>", Error{}},
		"HTML for a 404":               {404, "<!DOCTYPE html>", Error{Code: CodeNotFound, Number: 102}},
		"empty":                        {429, "", Error{Code: CodeRateLimitExceeded, Number: 7}},
		"empty 409":                    {409, "", Error{}},
		"empty 403":                    {403, "", Error{}},
		"cut off in the data":          {409, `{"id":"conflict","code":108,"message":"found","data":{"id":"layer:///conv`, Error{Code: CodeConflict, Number: 108, Message: "found"}},
		"cut off in the first name":    {410, `{"i`, Error{Code: CodeObjectDeleted, Number: 103}},
		"a list":                       {500, `[1,2]`, Error{Code: CodeInternalServerError, Number: 100, Message: "[1,2]"}},
		"members of other types":       {400, `{"id":7,"code":"x","message":{"a":1},"data":"text","url":null}`, Error{Code: CodeInvalidRequest, Number: 10}},
		"null data":                    {404, `{"id":"not_found","data":null}`, Error{Code: CodeNotFound, Number: 102}},
		"a resource in place of it":    {409, `{"id":"layer:///conversations/` + someUUID + `"}`, Error{}},
		"binary":                       {503, "\x1f\x8b\x00\xff", Error{Code: CodeServiceUnavailable, Number: 1}},
		"two lines":                    {500, "line\nline", Error{Code: CodeInternalServerError, Number: 100}},
		"unauthorized without a body":  {401, "", Error{Code: CodeAuthenticationRequired, Number: 4}},
		"method not allowed, no body":  {405, "", Error{Code: CodeMethodNotAllowed, Number: 109}},
		"not acceptable, no body":      {406, "", Error{Code: CodeInvalidHeader, Number: 107}},
		"request timeout, no body":     {408, "", Error{Code: CodeRequestTimeout, Number: 8}},
		"bad request, no body":         {400, "", Error{Code: CodeInvalidRequest, Number: 10}},
		"unprocessable without a body": {422, "", Error{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.want.Status = c.status
			if diff := cmp.Diff(&c.want, parseError(c.status, []byte(c.body)), cmpopts.IgnoreFields(Error{}, "Data")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	path := "/apps/A/conversations/C/messages"
	for want, err := range map[string]error{
		"layer: POST " + path + ": 422 missing_property (sender): Object is missing required member 'sender'":    &Error{Status: 422, Method: "POST", Path: path, Code: CodeMissingProperty, Property: "sender", Message: "Object is missing required member 'sender'"},
		"layer: POST " + path + ": 429 rate_limit_exceeded; wait 1.5s":                                           &Error{Status: 429, Method: "POST", Path: path, Code: CodeRateLimitExceeded, RetryAfter: 1500 * time.Millisecond},
		"layer: POST " + path + ": 429 rate_limit_exceeded; slow down":                                           &Error{Status: 429, Method: "POST", Path: path, Code: CodeRateLimitExceeded},
		"layer: GET " + path + ": 502 Bad Gateway":                                                               &Error{Status: 502, Method: "GET", Path: path},
		"layer: GET " + path + ": 799":                                                                           &Error{Status: 799, Method: "GET", Path: path},
		"layer: GET " + path + ": 302 Found; redirects are not followed: set the base URL to where the API is":   &Error{Status: 302, Method: "GET", Path: path},
		"layer: GET " + path + ": 401 authentication_required; check the token: it is missing, wrong or revoked": &Error{Status: 401, Method: "GET", Path: path, Code: CodeAuthenticationRequired},
		"layer: GET " + path + ": no complete answer in time":                                                    &TransportError{Kind: KindTimeout, Method: "GET", Path: path},
		"layer: GET " + path + ": 200, but the answer is not JSON: Content-Type is text/html":                    &TransportError{Kind: KindContentType, Method: "GET", Path: path, Status: 200, Detail: "Content-Type is text/html"},
		"layer: GET " + path + ": strange":                                                                       &TransportError{Kind: "strange", Method: "GET", Path: path},
	} {
		if err.Error() != want {
			t.Errorf("got  %s\nwant %s", err, want)
		}
	}
}

func TestQuestionsAboutErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err                 error
		code                Code
		transient, answered bool
		after               time.Duration
	}{
		"nil":                    {nil, "", false, false, 0},
		"a foreign error":        {errors.New("x"), "", false, false, 0},
		"a field":                {&FieldError{"a", "b"}, "", false, false, 0},
		"not found":              {&Error{Status: 404, Code: CodeNotFound}, CodeNotFound, false, true, 0},
		"limited":                {&Error{Status: 429, Code: CodeRateLimitExceeded, RetryAfter: time.Second}, CodeRateLimitExceeded, true, true, time.Second},
		"unavailable":            {fmt.Errorf("x: %w", &Error{Status: 503, Code: CodeServiceUnavailable}), CodeServiceUnavailable, true, true, 0},
		"request timeout":        {&Error{Status: 408}, "", true, true, 0},
		"cut":                    {fmt.Errorf("x: %w", &TransportError{Kind: KindCut}), "", true, false, 0},
		"both, as a pause ended": {fmt.Errorf("%w (%w)", &Error{Status: 500, Code: CodeInternalServerError}, errors.New("x")), CodeInternalServerError, true, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, has := RetryAfter(c.err)
			if CodeOf(c.err) != c.code || IsTransient(c.err) != c.transient || Answered(c.err) != c.answered || after != c.after || has != (c.after > 0) {
				t.Errorf("code %q, transient %v, answered %v, after %v", CodeOf(c.err), IsTransient(c.err), Answered(c.err), after)
			}
			if c.code != "" && (!errors.Is(c.err, c.code) || errors.Is(c.err, CodeConflict)) {
				t.Errorf("errors.Is does not see the code")
			}
		})
	}
	if errors.Is(&Error{}, Code("")) {
		t.Error("an unknown code is a code")
	}
}

func FuzzErrorBody(f *testing.F) {
	f.Add(422, []byte(`{"url":"u","data":{"property":"p"},"code":104,"id":"missing_property","message":"m"}`))
	f.Add(404, []byte("The requested resource could not be found."))
	f.Add(409, []byte(`{"id":"id_in_use","code":111,"data":{"id":"`))
	f.Add(503, []byte("<html>"))
	f.Add(400, []byte(`{"message":"tok3n"}`))
	c, err := New(AppID{1}, "tok3n")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := parseError(status, body)
		for _, text := range []*string{&e.Message, &e.Property, &e.Header} {
			*text = c.withoutSecrets(*text, &call{})
		}
		text := e.Error()
		if strings.Contains(text, "tok3n") {
			t.Errorf("the token is in %q", text)
		}
		if len(text) > 1500 || strings.ContainsAny(text, "\n\r\x00\x1b") {
			t.Errorf("not fit for a log: %q", text)
		}
		if number, known := numbers[e.Code]; known && e.Number != number {
			t.Errorf("%s with number %d", e.Code, e.Number)
		}
	})
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2016, 3, 8, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for value, want := range map[string]time.Duration{
		"":                                0,
		"0":                               0,
		"2":                               2 * time.Second,
		" 120 ":                           2 * time.Minute,
		"-1":                              0,
		"1.5":                             0,
		"soon":                            0,
		"99999999999999999999":            maxRetryAfter,
		"9223372036854775807":             maxRetryAfter,
		at(time.Minute):                   time.Minute,
		at(-time.Minute):                  0,
		at(20 * maxRetryAfter):            maxRetryAfter,
		"Tuesday, 08-Mar-16 09:00:30 GMT": 30 * time.Second,
	} {
		if got := parseRetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	skewed := http.Header{"Retry-After": {at(time.Hour + 3*time.Second)}, "Date": {at(time.Hour)}}
	if got := parseRetryAfter(skewed, now); got != 3*time.Second {
		t.Errorf("on the server's clock: %v", got)
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "")
	f.Add("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:00 GMT")
	f.Add("9999999999999999999999", "x")
	f.Fuzz(func(t *testing.T, value, date string) {
		got := parseRetryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, time.Now())
		if got < 0 || got > maxRetryAfter {
			t.Errorf("%q at %q: %v", value, date, got)
		}
	})
}
