package layertest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

// put sets the faults through the controls, as other programs do.
func (w *wire) faults(rules string) {
	w.t.Helper()
	if a := w.do("PUT", "/_emulator/faults", rules); a.status != 200 {
		w.t.Fatalf("PUT faults %s: %d %s", rules, a.status, a.body)
	}
}

// post sends one message to convA without dedupe UUID and returns the answer;
// status 0 is a connection that was cut.
func (w *wire) post() (answer, time.Duration) {
	w.t.Helper()
	begin := time.Now()
	a, err := w.try("POST", app+"/conversations/"+convA+"/messages", textFrom("ana", "x"))
	if err != nil {
		a.status = 0
	}
	return a, time.Since(begin)
}

func TestFaultOptionsAloneAndCombined(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		rule    string
		status  int
		stored  int
		slow    bool // at least 30 ms
		header  string
		body    string // that the answer begins with
		logged  int
		comment string
	}{
		{name: "nothing", rule: `{}`, status: 201, stored: 1, logged: 201},
		{name: "latency", rule: `{"latency":"30ms"}`, status: 201, stored: 1, slow: true, logged: 201},
		{name: "status", rule: `{"status":503}`, status: 503, body: `{"id":"service_unavailable","code":1,`, logged: 503},
		{name: "status of the table's usual meaning", rule: `{"status":403}`, status: 403, body: `{"id":"access_denied","code":101,`, logged: 403},
		{name: "status with code", rule: `{"status":403,"code":"app_suspended"}`, status: 403, body: `{"id":"app_suspended","code":5,`, logged: 403},
		{name: "code alone", rule: `{"code":"user_suspended"}`, status: 403, body: `{"id":"user_suspended","code":6,`, logged: 403},
		{name: "429 has no body", rule: `{"status":429}`, status: 429, logged: 429},
		{name: "502 comes from the web server", rule: `{"status":502}`, status: 502, body: "<html>", logged: 502},
		{name: "status 204", rule: `{"status":204}`, status: 204, logged: 204},
		{name: "status and after_commit", rule: `{"status":503,"after_commit":true}`, status: 503, stored: 1, logged: 503},
		{name: "after_commit alone", rule: `{"after_commit":true}`, status: 201, stored: 1, logged: 201},
		{name: "status and latency", rule: `{"status":500,"latency":"30ms"}`, status: 500, slow: true, logged: 500},
		{name: "all but the cut", rule: `{"status":503,"after_commit":true,"latency":"30ms","retry_after":"2s"}`, status: 503, stored: 1, slow: true, header: "2", logged: 503},
		{name: "retry_after on the answer itself", rule: `{"retry_after":"1500ms"}`, status: 201, stored: 1, header: "2", logged: 201},
		{name: "retry_after with 429", rule: `{"status":429,"retry_after":"3s"}`, status: 429, header: "3", logged: 429},
		{name: "drop_connection", rule: `{"drop_connection":true}`},
		{name: "drop_connection and after_commit", rule: `{"drop_connection":true,"after_commit":true}`, stored: 1},
		{name: "drop_connection and latency", rule: `{"drop_connection":true,"latency":"30ms"}`, slow: true},
		{name: "drop_connection goes over status", rule: `{"drop_connection":true,"status":503,"after_commit":true,"latency":"30ms"}`, stored: 1, slow: true},
		{name: "half_body", rule: `{"half_body":true}`, stored: 1, logged: 201},
		{name: "half_body of an error", rule: `{"half_body":true,"status":500}`, logged: 500},
		{name: "slow_body", rule: `{"slow_body":"30ms"}`, status: 201, stored: 1, slow: true, body: `{"id":"layer:///messages/`, logged: 201},
		{name: "body", rule: `{"body":"oops","content_type":"text/html"}`, status: 201, stored: 1, body: "oops", logged: 201},
		{name: "status with body", rule: `{"status":500,"body":"oops"}`, status: 500, body: "oops", logged: 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t)
			w.conversation()
			w.faults(`[` + tt.rule + `]`)
			a, took := w.post()
			if a.status != tt.status {
				t.Errorf("got status %d %s, want %d", a.status, a.body, tt.status)
			}
			if got := a.header.Get("Retry-After"); got != tt.header {
				t.Errorf("got Retry-After %q, want %q", got, tt.header)
			}
			if !strings.HasPrefix(a.body, tt.body) {
				t.Errorf("got body %q, want it to begin with %q", a.body, tt.body)
			}
			if slow := took >= 30*time.Millisecond; tt.slow && !slow {
				t.Errorf("the answer took %s, want 30ms or more", took)
			}
			stats := w.srv.Stats()
			if stats.Messages != tt.stored {
				t.Errorf("%d messages are stored, want %d", stats.Messages, tt.stored)
			}
			if got := stats.ByStatus[strconv.Itoa(tt.logged)]; got == 0 {
				t.Errorf("by_status is %v, want the request under %d", stats.ByStatus, tt.logged)
			}
			if log := w.srv.Requests(1, 10); len(log) != 1 || log[0].Status != tt.logged {
				t.Errorf("the log has %+v, want one request with status %d", log, tt.logged)
			}
		})
	}
}

func TestFaultsMatchMethodAndPath(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	for _, tt := range []struct {
		match string
		want  int
	}{
		{`{}`, 503},
		{`{"method":"POST"}`, 503},
		{`{"method":"GET"}`, 201},
		{`{"method":"P"}`, 201}, // whole methods
		{`{"method":"GET|POST"}`, 503},
		{`{"path":"/messages$"}`, 503},
		{`{"path":"^/messages"}`, 201},
		{`{"method":"POST","path":"/messages$"}`, 503},
		{`{"method":"GET","path":"/messages$"}`, 201},
	} {
		w.faults(`{"rules":[{"match":` + tt.match + `,"status":503}]}`)
		if a, _ := w.post(); a.status != tt.want {
			t.Errorf("match %s: got %d, want %d", tt.match, a.status, tt.want)
		}
	}
}

func TestFaultCountAndOrder(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	w.faults(`[{"status":503,"count":2},{"status":500,"count":1}]`)
	for i, want := range []int{503, 503, 500, 201} {
		if a, _ := w.post(); a.status != want {
			t.Errorf("request %d: got %d, want %d", i, a.status, want)
		}
	}
	if a := w.do("GET", "/_emulator/faults", ""); a.body != `{"rules":[]}`+"\n" {
		t.Errorf("spent rules are listed: %s", a.body)
	}
	w.faults(`[{"latency":"20ms"},{"latency":"20ms"},{"status":500},{"latency":"1h"}]`)
	if a, took := w.post(); a.status != 500 || took < 40*time.Millisecond {
		t.Errorf("delays before a failure: got %d after %s, want 500 after 40ms or more", a.status, took)
	}
	w.faults(`[]`)
	if a, _ := w.post(); a.status != 201 {
		t.Errorf("after clearing: got %d, want 201", a.status)
	}
}

func TestFaultProbabilityIsRepeatable(t *testing.T) {
	t.Parallel()
	run := func() string {
		w := newWire(t, layertest.WithConfig(layertest.Config{Seed: 7}))
		w.conversation()
		w.faults(`[{"status":503,"probability":0.3}]`)
		var b strings.Builder
		for range 200 {
			a, _ := w.post()
			b.WriteByte("0123456789"[a.status/100])
		}
		return b.String()
	}
	first := run()
	if n := strings.Count(first, "5"); n < 30 || n > 90 {
		t.Errorf("probability 0.3 hit %d of 200 requests", n)
	}
	if second := run(); second != first {
		t.Errorf("the same seed gave another run:\n%s\n%s", first, second)
	}
	w := newWire(t)
	w.conversation()
	w.faults(`[{"status":503,"probability":0}]`)
	if a, _ := w.post(); a.status != 201 {
		t.Errorf("probability 0: got %d, want 201", a.status)
	}
}

func TestWrongFaultsAreRefusedByName(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.faults(`[{"status":503}]`)
	for body, want := range map[string]string{
		`[{"statuss":503}]`:                     `rules[0].statuss: unknown field`,
		`{"rules":[{"match":{"paht":"x"}}]}`:    `rules[0].match.paht: unknown field`,
		`{"rule":[]}`:                           `rule: unknown field`,
		`{}`:                                    `rules: is missing`,
		`[{},{"status":"503"}]`:                 `rules[1].status: `,
		`[{"status":99}]`:                       `rules[0].status: 99 is not between 200 and 599`,
		`[{"probability":1.5}]`:                 `rules[0].probability: 1.5 is not between 0 and 1`,
		`[{"latency":"fast"}]`:                  `rules[0].latency: \"fast\" is not a duration`,
		`[{"latency":"-1s"}]`:                   `rules[0].latency: \"-1s\" is not a duration`,
		`[{"count":0}]`:                         `rules[0].count: 0 is not 1 or more`,
		`[{"match":{"path":"("}}]`:              `rules[0].match.path: \"(\" is not a regular expression`,
		`[{"code":"oops"}]`:                     `rules[0].code: \"oops\" is none of the service's error ids`,
		`[{"Status":503}]`:                      `rules[0].Status: unknown field`,
		`[`:                                     `not valid JSON`,
		``:                                      `not valid JSON`,
		`[{"status":503,"status":500}]`:         `not valid JSON`,
		`{"rules":[{"status":503}],"extra":{}}`: `extra: unknown field`,
	} {
		a := w.do("PUT", "/_emulator/faults", body)
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, want) {
			t.Errorf("PUT %s: got %d %s, want 400 with %s", body, a.status, a.body, want)
		}
	}
	if a := w.do("GET", "/_emulator/faults", ""); a.body != `{"rules":[{"status":503}]}`+"\n" {
		t.Errorf("a refused body changed the faults: %s", a.body)
	}
}

func TestHangLastsUntilTheCallerLeaves(t *testing.T) {
	t.Parallel()
	for _, commit := range []bool{false, true} {
		w := newWire(t)
		w.conversation()
		w.srv.Fault(layertest.Rule{Hang: true, AfterCommit: commit, Match: layertest.Match{Method: "POST"}})
		w.srv.HTTPClient().Timeout = 50 * time.Millisecond
		if a, took := w.post(); a.status != 0 || took < 50*time.Millisecond {
			t.Errorf("got %d after %s, want no answer within 50ms", a.status, took)
		}
		want := 0
		if commit {
			want = 1
		}
		if got := w.srv.Stats().Messages; got != want {
			t.Errorf("after_commit %v: %d messages are stored, want %d", commit, got, want)
		}
	}
}

func TestRetryAfterAsDate(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.faults(`[{"status":503,"retry_after":"10s","retry_after_date":true}]`)
	a := w.do("GET", app+"/users/ana/blocks", "")
	date, err := http.ParseTime(a.header.Get("Retry-After"))
	if d := time.Until(date); err != nil || d < 9*time.Second || d > 12*time.Second {
		t.Errorf("got Retry-After %q, want a date 10s from now", a.header.Get("Retry-After"))
	}
}
