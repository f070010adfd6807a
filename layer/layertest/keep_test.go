package layertest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer/layertest"
)

func openIn(t *testing.T, dir string) *layertest.Emulator {
	t.Helper()
	e, err := layertest.Open(dir, layertest.Config{PublicURL: "https://api.layer.com", Switches: layertest.Switches{HTTPWebhooks: true}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func closed(t *testing.T, e *layertest.Emulator) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// everything asks for all that can be read.
func everything(t *testing.T, e *layertest.Emulator) string {
	t.Helper()
	var b strings.Builder
	for _, path := range []string{
		"/conversations/" + convA, "/conversations/" + convA + "/messages", "/users/boris/conversations", "/users/boris",
		"/users/boris/blocks", "/users/boris/badge", "/users/boris/identity", "/users/boris/announcements",
		"/conversations/" + convB, "/export_security", "/export_schedule",
	} {
		a := direct(t, e, "GET", app+path, "")
		fmt.Fprintf(&b, "%s\n%d %s\n", path, a.status, a.body)
	}
	a := direct(t, e, "GET", app+"/webhooks", "", "Accept", hooksJSON)
	fmt.Fprintf(&b, "webhooks\n%d %s\n", a.status, a.body)
	return b.String()
}

func TestEverythingSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := openIn(t, dir)
	_, key := exportKey(t, 2048)
	must := func(want int, method, path, body string, headers ...string) answer {
		t.Helper()
		a := direct(t, e, method, path, body, headers...)
		if a.status != want {
			t.Fatalf("%s %s: got %d %s, want %d", method, path, a.status, a.body, want)
		}
		return a
	}
	must(201, "POST", app+"/conversations", `{"participants":["ana","boris"],"metadata":{},"distinct":true}`, "If-None-Match", convA)
	must(201, "POST", app+"/conversations", `{"participants":["ana","boris"]}`, "If-None-Match", convB)
	must(204, "DELETE", app+"/conversations/"+convB, "")
	must(201, "POST", app+"/conversations/"+convA+"/messages", textFrom("ana", "one"), "If-None-Match", msg1)
	must(201, "POST", app+"/conversations/"+convA+"/messages", textFrom("ana", "two"), "If-None-Match", msg2)
	must(204, "POST", app+"/users/boris/messages/"+msg1+"/receipts", `{"type":"delivery"}`)
	must(202, "POST", app+"/announcements", `{"recipients":["boris"],"sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"y"}]}`, "If-None-Match", other)
	must(204, "POST", app+"/users/boris/announcements/"+other+"/receipts", `{"type":"read"}`)
	must(204, "POST", app+"/users/boris/blocks", `{"user_id":"chen"}`)
	must(201, "POST", app+"/users/boris/identity", `{"display_name":"B","metadata":{"a":"b"}}`)
	must(204, "PUT", app+"/users/boris/badge", `{"external_unread_count":7}`)
	must(200, "PUT", app+"/export_security", key)
	must(200, "PUT", app+"/export_schedule", `{"interval":"daily","events":["message.sent"]}`)
	ct := parse[contentJSON](t, must(201, "POST", app+"/conversations/"+convA+"/content", "", "Upload-Content-Type", "a/b", "Upload-Content-Length", "3", "If-None-Match", other).body)
	must(200, "PUT", strings.TrimPrefix(ct.UploadURL, "https://api.layer.com"), "abc")
	hook := must(201, "POST", app+"/webhooks", registration("http://127.0.0.1:1", `"message.sent"`), "Accept", hooksJSON)
	id := parse[webhookJSON](t, hook.body).URL
	must(200, "POST", strings.TrimPrefix(id, "https://api.layer.com")+"/deactivate", "", "Accept", hooksJSON)
	before := everything(t, e)
	stats := e.Stats()
	closed(t, e)

	e = openIn(t, dir)
	if diff := cmp.Diff(before, everything(t, e)); diff != "" {
		t.Errorf("after a restart (-before +after):\n%s", diff)
	}
	again := e.Stats()
	if again.Messages != stats.Messages || again.Conversations != stats.Conversations || again.Identities != stats.Identities || again.Blocks != stats.Blocks || again.Announcements != stats.Announcements {
		t.Errorf("got %+v, want what %+v holds", again, stats)
	}
	refreshed := parse[contentJSON](t, must(200, "GET", app+"/conversations/"+convA+"/content/"+strings.TrimPrefix(ct.ID, "layer:///content/"), "").body)
	if a := must(200, "GET", strings.TrimPrefix(*refreshed.DownloadURL, "https://api.layer.com"), ""); a.body != "abc" {
		t.Errorf("the content is %q, want abc", a.body)
	}
	if a := must(201, "POST", app+"/conversations/"+convA+"/messages", textFrom("ana", "x"), "If-None-Match", msg1); !strings.Contains(a.body, `"one"`) {
		t.Errorf("a repeat after the restart made another message: %s", a.body)
	}
	if a := must(200, "POST", app+"/conversations", `{"participants":["boris","ana"],"distinct":true}`); !strings.Contains(a.body, convA) {
		t.Errorf("the distinct conversation was not found again: %s", a.body)
	}
	must(204, "POST", "/_emulator/reset", "")
	closed(t, e)

	e = openIn(t, dir)
	defer closed(t, e)
	must(404, "GET", app+"/conversations/"+convA, "")
}

func TestTornEndIsMovedAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := openIn(t, dir)
	direct(t, e, "POST", app+"/conversations", `{"participants":["ana"]}`, "If-None-Match", convA)
	closed(t, e)
	path := filepath.Join(dir, "state.log")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	last := len(whole) - len(lines[len(lines)-2])
	for cut := last; cut < len(whole); cut += 7 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		e := openIn(t, dir)
		if a := direct(t, e, "GET", app+"/conversations/"+convA, ""); a.status != 404 {
			t.Errorf("cut at %d: half a record was taken: %s", cut, a.body)
		}
		direct(t, e, "POST", app+"/conversations", `{"participants":["ana"]}`, "If-None-Match", convB)
		closed(t, e)
		e = openIn(t, dir)
		if a := direct(t, e, "GET", app+"/conversations/"+convB, ""); a.status != 200 {
			t.Errorf("cut at %d: what was written after it is lost: %d", cut, a.status)
		}
		closed(t, e)
	}
	damaged := strings.Replace(string(whole), "participants", "participantz", 1)
	if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
		t.Fatal(err)
	}
	closed(t, openIn(t, dir))
	aside, err := os.ReadFile(path + ".damaged")
	if err != nil || !strings.Contains(string(aside), "participantz") {
		t.Errorf("the damaged record was thrown away: %v", err)
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"something else\n":                 "not a state of layer-emulator",
		"layer-emulator state, format 1\n": "format 1, which an earlier layer-emulator wrote",
		"layer-emulator state, format 3\n": "another version",
	} {
		path := filepath.Join(t.TempDir(), "state.log")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := layertest.Open(filepath.Dir(path), layertest.Config{})
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error that names the file and says %q", text, err, want)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != text {
			t.Errorf("%q: the file holds %q, %v, want it as it was", text, left, err)
		}
	}
}

func TestDirectoryIsForOneEmulator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := openIn(t, dir)
	if _, err := layertest.Open(dir, layertest.Config{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v, want that it is in use", err)
	}
	closed(t, e)
	closed(t, openIn(t, dir))
}

func TestStateIsCompacted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := openIn(t, dir)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { // together, so that they share syncs
			for i := range 300 {
				direct(t, e, "PUT", app+"/users/ana/badge", fmt.Sprintf(`{"external_unread_count":%d}`, i))
			}
		})
	}
	wg.Wait()
	direct(t, e, "PUT", app+"/users/ana/badge", `{"external_unread_count":42}`)
	closed(t, e)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "state.log"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	e = openIn(t, dir)
	if after := size(); after > before/10 {
		t.Errorf("the state has %d bytes after %d, want a tenth or less", after, before)
	}
	direct(t, e, "PUT", app+"/users/boris/badge", `{"external_unread_count":1}`)
	closed(t, e)
	e = openIn(t, dir)
	defer closed(t, e)
	for user, want := range map[string]string{"ana": "42", "boris": "1"} {
		if a := direct(t, e, "GET", app+"/users/"+user+"/badge", ""); !strings.Contains(a.body, `"external_unread_count":`+want+",") {
			t.Errorf("the badge of %s is %s, want %s", user, a.body, want)
		}
	}
}
