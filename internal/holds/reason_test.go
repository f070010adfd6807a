package holds

import (
	"errors"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer"
)

// TestWhatHoldsTheFleet is the table of docs/holds.md.
func TestWhatHoldsTheFleet(t *testing.T) {
	t.Parallel()
	transport := func(kind layer.Kind, status int) layer.Answer {
		return layer.Answer{Status: status, Err: &layer.TransportError{Kind: kind, Status: status}}
	}
	for name, c := range map[string]struct {
		answer layer.Answer
		want   finding
	}{
		"success":                                {sent, finding{kind: alive, code: "201"}},
		"429 with Retry-After":                   {limitedFor(time.Minute), finding{holding, RetryAfter, "429 rate_limit_exceeded", time.Minute}},
		"429 without":                            {limited, finding{holding, RateLimit, "429 rate_limit_exceeded", 0}},
		"a Retry-After of a week is asked again": {limitedFor(7 * 24 * time.Hour), finding{holding, RetryAfter, "429 rate_limit_exceeded", Longest}},
		"503 with Retry-After":                   {layer.Answer{Status: 503, RetryAfter: time.Second}, finding{holding, RetryAfter, "503", time.Second}},
		"503 without":                            {unavailable, finding{failing, Outage, "503 service_unavailable", 0}},
		"502 with Retry-After, a gateway's":      {layer.Answer{Status: 502, RetryAfter: time.Second}, finding{failing, Outage, "502", 0}},
		"500":                                    {layer.Answer{Status: 500, Code: layer.CodeInternalServerError}, finding{failing, Outage, "500 internal_server_error", 0}},
		"408":                                    {layer.Answer{Status: 408, Code: layer.CodeRequestTimeout}, finding{failing, Outage, "408 request_timeout", 0}},
		"no connection":                          {refused, finding{failing, Outage, "connect", 0}},
		"no secure connection":                   {transport(layer.KindTLS, 0), finding{failing, Outage, "tls", 0}},
		"no answer in time":                      {transport(layer.KindTimeout, 0), finding{failing, Outage, "timeout", 0}},
		"a cut connection":                       {transport(layer.KindCut, 0), finding{failing, Outage, "cut", 0}},
		"an answer that was cut":                 {transport(layer.KindCut, 201), finding{failing, Outage, "201 cut", 0}},
		"a proxy's page in place of the answer":  {transport(layer.KindContentType, 200), finding{failing, Outage, "200 content_type", 0}},
		"401":                                    {unknown, finding{holding, Credentials, "401 authentication_required", 0}},
		"401 without a code":                     {layer.Answer{Status: 401}, finding{holding, Credentials, "401", 0}},
		"403 invalid_app_id":                     {layer.Answer{Status: 403, Code: layer.CodeInvalidAppID}, finding{holding, Credentials, "403 invalid_app_id", 0}},
		"403 app_suspended":                      {layer.Answer{Status: 403, Code: layer.CodeAppSuspended}, finding{holding, Suspended, "403 app_suspended", 0}},
		"301":                                    {layer.Answer{Status: 301}, finding{holding, Redirect, "301", 0}},
		"403 user_suspended, that task's own":    {layer.Answer{Status: 403, Code: layer.CodeUserSuspended}, finding{kind: alive, code: "403 user_suspended"}},
		"403 access_denied, that task's own":     {layer.Answer{Status: 403, Code: layer.CodeAccessDenied}, finding{kind: alive, code: "403 access_denied"}},
		"404":                                    {layer.Answer{Status: 404, Code: layer.CodeNotFound}, finding{kind: alive, code: "404 not_found"}},
		"410":                                    {layer.Answer{Status: 410, Code: layer.CodeObjectDeleted}, finding{kind: alive, code: "410 object_deleted"}},
		"422":                                    {layer.Answer{Status: 422, Code: layer.CodeInvalidProperty}, finding{kind: alive, code: "422 invalid_property"}},
		"given up by the caller says nothing":    {transport(layer.KindCanceled, 0), finding{code: "canceled"}},
		"no attempt after all says nothing":      {layer.Answer{Err: layer.ErrNoAttempt}, finding{code: "no answer"}},
		"an error that nobody knows says nothing": {layer.Answer{Err: errors.New("odd")}, finding{code: "no answer"}},
	} {
		if got := (Options{}).find(c.answer); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	if got := (Options{FindsLimit: true}).find(limited); got.kind != failing {
		t.Errorf("429 while the limit is found out: %+v", got)
	}
}

// A reason that is not in the list has no metric, and nobody tests its advice.
func TestReasonsAreAllThatThereAre(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	var want []Reason
	for _, constant := range regexp.MustCompile(`(?m)^\t\w+ Reason = "(\w+)"$`).FindAllSubmatch(source, -1) {
		want = append(want, Reason(constant[1]))
	}
	if diff := cmp.Diff(want, Reasons()); diff != "" || len(want) == 0 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, reason := range want {
		if pauses[reason].least == 0 {
			t.Errorf("%s has no pause", reason)
		}
	}
}
