package layertest_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/layer/layertest"
)

const (
	app   = "/apps/" + layertest.DefaultAppID
	convA = "c0000000-0000-4000-8000-00000000000a"
	convB = "c0000000-0000-4000-8000-00000000000b"
	msg1  = "d0000000-0000-4000-8000-000000000001"
	msg2  = "d0000000-0000-4000-8000-000000000002"
	other = "e0000000-0000-4000-8000-00000000000e"

	layerJSON = "application/vnd.layer+json; version=1.0"
	patchJSON = "application/vnd.layer-patch+json"
)

// wire speaks HTTP to an emulator, without any client of the API between.
type wire struct {
	t   testing.TB
	srv *layertest.Server
	out strings.Builder
}

func newWire(t testing.TB, opts ...layertest.Option) *wire {
	t.Helper()
	return &wire{t: t, srv: layertest.NewServer(t, opts...)}
}

// answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request as the clients of 2016 did. Headers are given as name,
// value pairs; an empty value leaves out one that is sent otherwise.
func (w *wire) do(method, path, body string, headers ...string) answer {
	w.t.Helper()
	a, err := w.try(method, path, body, headers...)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (w *wire) try(method, path, body string, headers ...string) (answer, error) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.srv.URL()+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
	req.Header.Set("Accept", layerJSON)
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", patchJSON)
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(headers, 2) {
		if pair[1] == "" {
			req.Header.Del(pair[0])
			continue
		}
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := w.srv.HTTPClient().Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}, err
}

// record does the same and keeps request and answer for a golden file.
func (w *wire) record(title, method, path, body string, headers ...string) answer {
	w.t.Helper()
	a := w.do(method, path, body, headers...)
	fmt.Fprintf(&w.out, "## %s\n%s %s\n", title, method, path)
	for pair := range slices.Chunk(headers, 2) {
		fmt.Fprintf(&w.out, "%s: %s\n", pair[0], pair[1])
	}
	if body != "" {
		fmt.Fprintf(&w.out, "%s\n", body)
	}
	fmt.Fprintf(&w.out, "-> %d\n", a.status)
	for _, name := range []string{"Content-Type", "Content-Length", "Layer-Count", "Location", "Allow", "Retry-After"} {
		if value := a.header.Get(name); value != "" {
			fmt.Fprintf(&w.out, "%s: %s\n", name, value)
		}
	}
	if a.body != "" {
		fmt.Fprintf(&w.out, "%s\n", scrub(a.body))
	}
	w.out.WriteString("\n")
	return a
}

var aTime = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)

// scrub takes out what differs from run to run.
func scrub(body string) string { return aTime.ReplaceAllString(body, `"TIME"`) }

func (w *wire) golden(name string) {
	w.t.Helper()
	golden.Equal(w.t, name, []byte(w.out.String()))
}

// conversation makes convA of ana and boris.
func (w *wire) conversation() {
	w.t.Helper()
	if a := w.do("POST", app+"/conversations", `{"participants":["ana","boris"]}`, "If-None-Match", convA); a.status != 201 {
		w.t.Fatalf("creating a conversation: %d %s", a.status, a.body)
	}
}

// message sends text to convA as ana, under the given id.
func (w *wire) message(id, text string) {
	w.t.Helper()
	a := w.do("POST", app+"/conversations/"+convA+"/messages", textFrom("ana", text), "If-None-Match", id)
	if a.status != 201 {
		w.t.Fatalf("sending a message: %d %s", a.status, a.body)
	}
}

func textFrom(user, text string) string {
	return fmt.Sprintf(`{"sender":{"user_id":%q},"parts":[{"mime_type":"text/plain","body":%q}]}`, user, text)
}
