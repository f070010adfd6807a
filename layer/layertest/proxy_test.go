package layertest_test

import (
	"strings"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

// TestDocumentedProxy asks every call on behalf of a user that the Client API
// has as well: with the switch documented-proxy those are left that the Platform
// API's documentation has, and only those.
func TestDocumentedProxy(t *testing.T) {
	t.Parallel()
	receipt := `{"type":"read"}`
	const noRoute, noMethod = 404, 405 // the path has nothing, or something else
	calls := map[string]struct {
		query, body string
		off, on     int
	}{
		"GET conversations":                         {off: 200, on: 200},
		"GET conversations/:conversation":           {off: 200, on: 200},
		"GET conversations/:conversation/messages":  {off: 200, on: 200},
		"GET messages/:message":                     {off: 200, on: 200},
		"DELETE conversations/:conversation":        {query: "?mode=my_devices", off: 204, on: noMethod},
		"DELETE messages/:message":                  {query: "?mode=my_devices", off: 204, on: noMethod},
		"POST messages/:message/receipts":           {body: receipt, off: 204, on: noRoute},
		"GET announcements":                         {off: 200, on: noRoute},
		"GET announcements/:announcement":           {off: 200, on: noRoute},
		"DELETE announcements/:announcement":        {off: 204, on: noRoute},
		"POST announcements/:announcement/receipts": {body: receipt, off: 204, on: noRoute},
	}
	const user = "/apps/:app/users/:user/"
	ids := strings.NewReplacer("/apps/:app", app, ":user", "ana", ":conversation", convA, ":message", msg1, ":announcement", other)
	for _, route := range layertest.Routes() {
		call, ok := strings.CutPrefix(route.Path, user)
		if resource, _, _ := strings.Cut(call, "/"); !ok || resource != "conversations" && resource != "messages" && resource != "announcements" {
			continue // the Platform API's own
		}
		tt, ok := calls[route.Method+" "+call]
		if !ok {
			t.Errorf("%s %s is not tested", route.Method, route.Path)
			continue
		}
		delete(calls, route.Method+" "+call)
		for on, want := range map[bool]int{false: tt.off, true: tt.on} {
			w := newWire(t, layertest.WithConfig(layertest.Config{Switches: layertest.Switches{DocumentedProxy: on}}))
			w.conversation()
			w.message(msg1, "x")
			w.do("POST", app+"/announcements", `{"recipients":["ana"],"sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"x"}]}`, "If-None-Match", other)
			if a := w.do(route.Method, ids.Replace(route.Path)+tt.query, tt.body); a.status != want {
				t.Errorf("%s %s with documented-proxy=%v: got %d %s, want %d", route.Method, route.Path, on, a.status, a.body, want)
			}
		}
	}
	for call := range calls {
		t.Errorf("there is no call %s", call)
	}
}
