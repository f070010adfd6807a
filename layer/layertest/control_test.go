package layertest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer/layertest"
)

func TestStatsCountTheAPIAlone(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	w.message(msg1, "one")
	w.message(msg1, "one")
	w.message(msg2, "two")
	w.do("POST", app+"/users/ana/blocks", `{"user_id":"boris"}`)
	w.do("POST", app+"/users/ana/identity", `{"display_name":"Ana"}`)
	w.do("POST", app+"/announcements", `{"recipients":["ana"],"sender":{"name":"x"},"parts":[{"mime_type":"text/plain","body":"y"}]}`)
	w.do("GET", app+"/nothing", "")
	w.do("GET", "/_emulator/stats", "")
	a := w.do("GET", "/_emulator/stats", "")
	want := `{"requests":8,"by_status":{"201":5,"202":1,"204":1,"404":1},"dedupe_hits":1,"rate_limited":0,` +
		`"messages":2,"announcements":1,"conversations":1,"identities":1,"blocks":1}` + "\n"
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestRequestsAreLinesInOrderOfArrival(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	before := time.Now()
	w.conversation()
	w.message(msg1, "one")
	w.message(strings.ToUpper(msg1), "one")
	w.do("GET", app+"/users/a%2Fb/blocks?x=1", "")
	a := w.do("GET", "/_emulator/requests", "")
	if got := a.header.Get("Content-Type"); got != "application/x-ndjson" {
		t.Errorf("got content type %q", got)
	}
	messages := app + "/conversations/" + convA + "/messages"
	want := []layertest.Request{
		{N: 1, Method: "POST", Path: app + "/conversations", Dedupe: convA, Status: 201},
		{N: 2, Method: "POST", Path: messages, Dedupe: msg1, Status: 201},
		{N: 3, Method: "POST", Path: messages, Dedupe: msg1, Status: 201, Duplicate: true},
		{N: 4, Method: "GET", Path: app + "/users/a%2Fb/blocks", Query: "x=1", Status: 200},
	}
	got := parseLog(t, a.body)
	last := before
	for i := range got {
		if got[i].At.Before(last) || got[i].At.After(time.Now()) {
			t.Errorf("request %d at %s is out of order", got[i].N, got[i].At)
		}
		last, got[i].At = got[i].At, time.Time{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got := parseLog(t, w.do("GET", "/_emulator/requests?since=1&limit=2", "").body); len(got) != 2 || got[0].N != 2 {
		t.Errorf("since=1&limit=2: got %+v, want 2 and 3", got)
	}
	if a := w.do("GET", "/_emulator/requests?since=x", ""); a.status != 400 || !strings.Contains(a.body, "since") {
		t.Errorf("since=x: got %d %s, want 400 that names it", a.status, a.body)
	}
}

func parseLog(t *testing.T, lines string) []layertest.Request {
	t.Helper()
	var out []layertest.Request
	for line := range strings.Lines(lines) {
		var r layertest.Request
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out = append(out, r)
	}
	return out
}

func TestLogKeepsTheLatestRequests(t *testing.T) {
	t.Parallel()
	e := layertest.New(layertest.Config{LogSize: 100})
	for i := range 10_000 {
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", fmt.Sprintf("/nothing/%d", i), nil))
	}
	got := e.Requests(0, 1000)
	if len(got) != 100 || got[0].N != 9901 || got[99].Path != "/nothing/9999" {
		t.Errorf("got %d requests from %d on, want the last 100", len(got), got[0].N)
	}
	if got := e.Stats().Requests; got != 10_000 {
		t.Errorf("%d requests are counted, want 10,000", got)
	}
}

func TestLimitAnswers429WithoutBody(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	if a := w.do("PUT", "/_emulator/limit", `{"limit":"2/1h"}`); a.status != 200 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	for i, want := range []int{200, 200, 429, 429} {
		a := w.do("GET", app+"/users/ana/blocks", "")
		if a.status != want || want == 429 && (a.body != "" || a.header.Get("Content-Type") != "") {
			t.Errorf("request %d: got %d %q, want %d", i, a.status, a.body, want)
		}
	}
	if s := w.srv.Stats(); s.RateLimited != 2 || s.ByStatus["429"] != 2 || s.Requests != 4 {
		t.Errorf("got %+v, want 2 of 4 rate limited", s)
	}
	w.do("PUT", "/_emulator/limit", `{"limit":"off"}`)
	if a := w.do("GET", app+"/users/ana/blocks", ""); a.status != 200 {
		t.Errorf("without limit: got %d", a.status)
	}
	for body, want := range map[string]string{
		`{"limit":"fast"}`: `limit: \"fast\" is not a rate`, `{"limits":"off"}`: "limits: unknown field", `{}`: "limit: is missing", `{"limit":1}`: "limit: ",
	} {
		if a := w.do("PUT", "/_emulator/limit", body); a.status != 400 || !strings.Contains(a.body, want) {
			t.Errorf("%s: got %d %s, want 400 with %s", body, a.status, a.body, want)
		}
	}
}

func TestResetForgetsEverything(t *testing.T) {
	t.Parallel()
	w := newWire(t, layertest.WithConfig(layertest.Config{Rate: layertest.Rate{N: 5, Per: time.Hour}}))
	w.conversation()
	w.message(msg1, "one")
	w.do("PUT", "/_emulator/limit", `{"limit":"2/1h"}`)
	w.faults(`[{"status":503}]`)
	if a := w.do("POST", "/_emulator/reset", ""); a.status != 204 {
		t.Fatalf("got %d", a.status)
	}
	if diff := cmp.Diff(layertest.Stats{ByStatus: map[string]int{}}, w.srv.Stats()); diff != "" {
		t.Errorf("stats after reset (-want +got):\n%s", diff)
	}
	if a := w.do("GET", app+"/conversations/"+convA, ""); a.status != 404 {
		t.Errorf("the conversation is still there: %d", a.status)
	}
	if a := w.do("GET", "/_emulator/limit", ""); a.body != `{"limit":"5/1h"}`+"\n" {
		t.Errorf("the limit is %s, want the configured one", a.body)
	}
}

func TestControlsAreForLoopbackCallers(t *testing.T) {
	t.Parallel()
	ask := func(cfg layertest.Config, change func(*http.Request)) int {
		r := httptest.NewRequest("POST", "http://127.0.0.1:18080/_emulator/reset", nil)
		r.RemoteAddr = "127.0.0.1:1234"
		change(r)
		w := httptest.NewRecorder()
		layertest.New(cfg).ServeHTTP(w, r)
		return w.Code
	}
	for _, tt := range []struct {
		name   string
		cfg    layertest.Config
		change func(*http.Request)
		want   int
	}{
		{"this machine", layertest.Config{}, func(*http.Request) {}, 204},
		{"this machine over IPv6", layertest.Config{}, func(r *http.Request) { r.RemoteAddr = "[::1]:1234" }, 204},
		{"another machine", layertest.Config{}, func(r *http.Request) { r.RemoteAddr = "192.0.2.1:1234" }, 403},
		{"another machine, allowed", layertest.Config{RemoteControl: true}, func(r *http.Request) { r.RemoteAddr = "192.0.2.1:1234" }, 204},
		{"a name that a stranger made point here", layertest.Config{}, func(r *http.Request) { r.Host = "evil.example" }, 403},
		{"the name of the service, by a hosts entry", layertest.Config{}, func(r *http.Request) { r.Host = "api.layer.com" }, 204},
		{"a browser on another site", layertest.Config{}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"an old browser on another site", layertest.Config{}, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
	} {
		if got := ask(tt.cfg, tt.change); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}
