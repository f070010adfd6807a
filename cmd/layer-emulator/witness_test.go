package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

// asking makes a request of an emulator and returns status and body; status 0
// is that nobody answered.
type asking func(method, path, body, dedupe string) (int, string)

func request(method, url, body, dedupe string) *http.Request {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	r.RequestURI = "" // as a client has it
	r.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
	r.Header.Set("Accept", "application/vnd.layer+json; version=1.0")
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/vnd.layer-patch+json")
	}
	if dedupe != "" {
		r.Header.Set("If-None-Match", dedupe)
	}
	return r
}

func overTCP(t *testing.T, url string) asking {
	t.Helper()
	client := newClient(t, &http.Transport{})
	return func(method, path, body, dedupe string) (int, string) {
		resp, err := client.Do(request(method, url+"/apps/"+layertest.DefaultAppID+path, body, dedupe).WithContext(t.Context()))
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return 0, ""
		}
		return resp.StatusCode, string(text)
	}
}

func inProcess(e *layertest.Emulator) asking {
	return func(method, path, body, dedupe string) (int, string) {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, request(method, "http://127.0.0.1/apps/"+layertest.DefaultAppID+path, body, dedupe))
		return w.Code, w.Body.String()
	}
}

// witness changes a corner of its own and remembers how far it was told that it
// got: done steps, and reached calls of the step after.
type witness struct {
	user, conversation string
	ask                asking
	done, reached      int
}

// call is a change, and the question whose answer tells that it took place.
type call struct {
	method, path, body, dedupe string
	status                     int
	question, holds            string // the start of the answer's status and body, somewhere in it
}

// calls are those of a step; each leaves something that no later step takes away.
func (w *witness) calls(n int) []call {
	id := func(kind byte) string {
		return fmt.Sprintf("%c%07d-%s-4000-8000-000000000000", kind, n, w.conversation[4:8])
	}
	conversation := "/conversations/" + w.conversation
	gone := "/conversations/" + id('e')
	return []call{
		{"POST", "/conversations", `{"participants":["` + w.user + `"]}`, w.conversation, 201, conversation, "200"},
		{"POST", conversation + "/messages", `{"sender":{"user_id":"` + w.user + `"},"parts":[{"mime_type":"text/plain","body":"x"}]}`, id('d'), 201, conversation + "/messages/" + id('d'), "200"},
		{"POST", conversation + "/messages", `{"sender":{"name":"x"},"parts":[{"mime_type":"text/plain","body":"x"}]}`, id('f'), 201, "/users/" + w.user + "/messages/" + id('f'), `"` + w.user + `":"read"`},
		{"POST", "/users/" + w.user + "/messages/" + id('f') + "/receipts", `{"type":"read"}`, "", 204, "/users/" + w.user + "/messages/" + id('f'), `"is_unread":false`},
		{"PATCH", conversation, fmt.Sprintf(`[{"operation":"set","property":"metadata.n%d","value":"x"}]`, n), "", 204, conversation, fmt.Sprintf(`"n%d":"x"`, n)},
		{"POST", "/users/" + w.user + "/blocks", fmt.Sprintf(`{"user_id":"b%d."}`, n), "", 204, "/users/" + w.user + "/blocks", fmt.Sprintf(`"b%d."`, n)},
		{"POST", fmt.Sprintf("/users/%s-%d/identity", w.user, n), `{"display_name":"x"}`, "", 201, fmt.Sprintf("/users/%s-%d/identity", w.user, n), `"display_name":"x"`},
		{"POST", "/announcements", `{"recipients":["` + w.user + `"],"sender":{"name":"x"},"parts":[{"mime_type":"text/plain","body":"x"}]}`, id('a'), 202, "/users/" + w.user + "/announcements/" + id('a'), "200"},
		{"POST", "/conversations", `{"participants":["` + w.user + `"]}`, id('e'), 201, gone, "410"},
		{"DELETE", gone, "", "", 204, gone, "410"},
	}
}

// step makes the next calls, and says whether all of them were acknowledged.
func (w *witness) step() bool {
	for i, c := range w.calls(w.done) {
		status, _ := w.ask(c.method, c.path, c.body, c.dedupe)
		if status == 409 && c.dedupe == "" { // made by the step that the kill cut off
			status = c.status
		}
		if status != c.status {
			return false
		}
		w.reached = i + 1
	}
	w.done, w.reached = w.done+1, 0
	return true
}

// check asks for everything that was acknowledged.
func (w *witness) check(t *testing.T) {
	t.Helper()
	for n := range w.done {
		for i, c := range w.calls(n) {
			w.checkCall(t, n, i, c)
		}
	}
	for i, c := range w.calls(w.done)[:w.reached] {
		if c.holds != "410" && c.holds != `"`+w.user+`":"read"` { // which the step had not come to
			w.checkCall(t, w.done, i, c)
		}
	}
}

func (w *witness) checkCall(t *testing.T, n, i int, c call) {
	t.Helper()
	status, body := w.ask("GET", c.question, "", "")
	if !strings.Contains(fmt.Sprint(status, " ", body), c.holds) {
		t.Errorf("%s, step %d, call %d: %s %s was acknowledged, but GET %s gives %d %.300s, want %s", w.user, n, i, c.method, c.path, c.question, status, body, c.holds)
	}
}
