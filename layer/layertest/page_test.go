package layertest_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

const evil = `<script>alert("x")</script>`

func TestPagesEscapeWhatOthersWrote(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.do("POST", app+"/conversations", `{"participants":["ana","<b>eve</b>"],"metadata":{"a":"<script>alert(\"x\")</script>"}}`, "If-None-Match", convA)
	w.message(msg1, evil)
	w.message(msg2, "https://example.com")
	w.do("POST", app+"/users/ana/blocks", `{"user_id":"<script>alert(\"x\")</script>"}`)
	w.do("POST", app+"/users/ana/identity", `{"display_name":"<script>alert(\"x\")</script>"}`)
	w.do("POST", app+"/announcements", `{"recipients":["ana"],"sender":{"name":"<script>"},"parts":[{"mime_type":"text/plain","body":"<script>alert(\"x\")</script>"}]}`)
	w.do("GET", app+"/users/%3Cscript%3E/blocks?<script>", "")
	w.faults(`[{"match":{"path":"<script>"},"status":503}]`)
	for _, path := range []string{"", "page/conversation?id=" + convA, "page/users", "page/requests", "page/faults"} {
		a := w.do("GET", "/_emulator/"+path, "")
		if a.status != 200 || !strings.Contains(a.body, "<!DOCTYPE html>") {
			t.Fatalf("%s: got %d %s", path, a.status, a.body)
		}
		if strings.Contains(a.body, "<script") || strings.Contains(a.body, "<b>eve") {
			t.Errorf("%s is not escaped:\n%s", path, a.body)
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
	}
	if a := w.do("GET", "/_emulator/page/conversation?id="+convA, ""); !strings.Contains(a.body, "&lt;script&gt;alert(") {
		t.Errorf("the message is not shown:\n%s", a.body)
	}
	if a := w.do("GET", "/_emulator/page/conversation?id="+convB, ""); a.status != 404 {
		t.Errorf("an unknown conversation: got %d, want 404", a.status)
	}
	if a := w.do("GET", "/_emulator/page/style.css", ""); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
		t.Errorf("style.css: got %d %s", a.status, a.header.Get("Content-Type"))
	}
}

// TestPagesShowAll follows the links to what has no room on the first page.
func TestPagesShowAll(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	for i := range 250 {
		w.do("POST", app+"/conversations/"+convA+"/messages", textFrom("ana", fmt.Sprintf("message %d.", i)))
		w.do("POST", app+"/conversations", fmt.Sprintf(`{"participants":["user %d."],"metadata":{"topic":"conversation %d."}}`, i, i))
	}
	next := regexp.MustCompile(`<a href="([^"]*skip=[^"]*)">`)
	for path, item := range map[string]string{"": "conversation %d.", "page/conversation?id=" + convA: "message %d.", "page/users": "user %d."} {
		var all strings.Builder
		for path = "/_emulator/" + path; path != ""; {
			a := w.do("GET", path, "")
			if a.status != 200 {
				t.Fatalf("%s: got %d %s", path, a.status, a.body)
			}
			all.WriteString(a.body)
			path = ""
			if m := next.FindStringSubmatch(a.body); m != nil {
				path = html.UnescapeString(m[1])
			}
		}
		for i := range 250 {
			if want := fmt.Sprintf(item, i); !strings.Contains(all.String(), want) {
				t.Errorf("%q is on no page", want)
			}
		}
	}
	back := regexp.MustCompile(`<a class="back" href="([^"]*)">`)
	if m := back.FindStringSubmatch(w.do("GET", "/_emulator/page/conversation?id="+convA+"&skip=200", "").body); m == nil {
		t.Error("no link leads back to the later messages")
	} else if a := w.do("GET", html.UnescapeString(m[1]), ""); !strings.Contains(a.body, "message 249.") || strings.Contains(a.body, `class="back"`) {
		t.Errorf("%s does not show the latest messages", m[1])
	}
	for _, skip := range []string{"-1", "1000000", "x", "99999999999999999999"} {
		if a := w.do("GET", "/_emulator/?skip="+skip, ""); a.status != 200 {
			t.Errorf("skip=%s: got %d", skip, a.status)
		}
	}
}

func TestPageBeginsWithTheLatestActivity(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	w.do("POST", app+"/conversations", `{"participants":["ana"]}`, "If-None-Match", convB)
	w.message(msg1, "x")
	a := w.do("GET", "/_emulator/", "")
	if first, second := strings.Index(a.body, convA), strings.Index(a.body, convB); first < 0 || first > second {
		t.Errorf("the conversation with the latest message is not the first one:\n%s", a.body)
	}
}

func TestPageShowsWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWire(t, layertest.WithConfig(queueing(time.Hour)))
	for _, want := range []string{"a patch waits", "2 patches wait"} {
		w.do("PATCH", app+"/users/ana", `[{"operation":"add","property":"blocks","value":"boris"}]`)
		w.do("POST", app+"/users/ana/blocks", `{"user_id":"chen"}`)
		if a := w.do("GET", "/_emulator/page/users", ""); !strings.Contains(a.body, want) {
			t.Errorf("%q is not on the page:\n%s", want, a.body)
		}
	}
}

func TestPageShowsPushes(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.do("POST", app+"/notifications", `{"recipients":["ana","<b>eve</b>"],"notification":{"text":"<script>ping"}}`)
	w.do("POST", app+"/notifications", `{"recipients":["ana"],"notification":{"title":"the title"}}`)
	a := w.do("GET", "/_emulator/page/users", "")
	for _, want := range []string{"&lt;script&gt;ping", "&lt;b&gt;eve&lt;/b&gt;", "the title"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%q is not on the page:\n%s", want, a.body)
		}
	}
}

func TestPageShowsPicturesOfKnownTypesAlone(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	for mime, shown := range map[string]bool{"image/png": true, "image/svg+xml": false, `image/png\" onload=\"alert(1)`: false} {
		w.do("POST", app+"/conversations/"+convA+"/messages", withPart(`{"mime_type":"`+mime+`","body":"/+7/","encoding":"base64"}`))
		a := w.do("GET", "/_emulator/page/conversation?id="+convA, "")
		if got := strings.Contains(a.body, "<img"); got != shown || strings.Contains(a.body, `onload="`) {
			t.Errorf("%s: a picture is shown: %v, want %v\n%s", mime, got, shown, a.body)
		}
		w.do("POST", "/_emulator/reset", "")
		w.conversation()
	}
}

func TestPageSwitchesFaults(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	send := func(path string, form url.Values) answer {
		return w.do("POST", "/_emulator/page/"+path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	if a := send("faults", url.Values{"status": {"503"}, "path": {"/messages$"}, "after_commit": {"on"}, "retry_after": {"2s"}}); a.status != http.StatusSeeOther {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if a, _ := w.post(); a.status != 503 || a.header.Get("Retry-After") != "2" || w.srv.Stats().Messages != 1 {
		t.Errorf("the fault is not in force: %d", a.status)
	}
	if a := send("faults", url.Values{"status": {"5000"}}); a.status != 400 || !strings.Contains(a.body, "5000 is not between") {
		t.Errorf("a wrong status: got %d", a.status)
	}
	send("faults/clear", nil)
	if a, _ := w.post(); a.status != 201 {
		t.Errorf("after clearing: got %d", a.status)
	}
	send("faults", url.Values{"rule": {`{"status":429}`}})
	if a, _ := w.post(); a.status != 429 {
		t.Errorf("after a preset: got %d", a.status)
	}
	send("limit", url.Values{"limit": {"1/1h"}})
	if a := send("limit", url.Values{"limit": {"fast"}}); a.status != 400 {
		t.Errorf("a wrong limit: got %d", a.status)
	}
	if a := w.do("GET", "/_emulator/limit", ""); !strings.Contains(a.body, "1/1h") {
		t.Errorf("the limit is %s", a.body)
	}
	send("reset", nil)
	if got := w.srv.Stats().Conversations; got != 0 {
		t.Errorf("after a reset: %d conversations", got)
	}
}

func TestPagesRefuseOtherSites(t *testing.T) {
	t.Parallel()
	e := layertest.New(layertest.Config{})
	defer e.Close()
	for name, h := range map[string]http.Handler{"the API's address": e, "the control address": e.Control()} {
		r := httptest.NewRequest("POST", "http://127.0.0.1/_emulator/page/reset", nil)
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Errorf("%s: got %d, want 403", name, w.Code)
		}
	}
}
