package layertest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer/layertest"
)

func TestChecksComeInOrder(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	unknown := app + "/conversations/" + convB
	w.record("a path outside the API is not routed, token or not", "GET", "/nothing", "", "Authorization", "")
	w.record("an app id that is no UUID is not routed", "GET", "/apps/a/conversations/"+convA, "", "Authorization", "")
	w.record("without a token nothing else counts", "GET", unknown, "", "Authorization", "", "Accept", "")
	w.record("a token in another scheme is none", "GET", unknown, "", "Authorization", "Basic sandbox")
	w.record("an unknown token", "GET", unknown, "", "Authorization", "Bearer nobody")
	w.record("a known token for another app", "GET", "/apps/"+other+"/conversations/"+convA, "")
	w.record("no Accept", "GET", unknown, "", "Accept", "")
	w.record("Accept without a version", "GET", unknown, "", "Accept", "application/vnd.layer+json")
	w.record("Accept for a version that is not served", "GET", unknown, "", "Accept", "application/vnd.layer+json; version=2.0")
	w.record("Accept for anything", "GET", unknown, "", "Accept", "*/*")
	w.record("Accept comes before the method", "PUT", unknown, "", "Accept", "text/html")
	w.record("an unknown endpoint", "GET", app+"/nothing", "")
	w.record("an id that is no UUID", "GET", app+"/conversations/notfound", "")
	w.record("an id with braces is no UUID", "GET", app+"/conversations/%7B"+convA+"%7D", "")
	w.record("a method that the endpoint does not have", "PUT", unknown, "{}")
	w.record("HEAD is no method of the API", "HEAD", unknown, "")
	w.record("a dedupe tag that is no UUID", "POST", app+"/conversations", "{}", "If-None-Match", "once")
	w.record("where it has no meaning it is not looked at", "POST", app+"/users/ana/blocks", `{"user_id":"boris"}`, "If-None-Match", "once")
	w.record("no body", "POST", app+"/announcements", "")
	w.record("a body that is no JSON", "POST", app+"/announcements", `{"recipients":`)
	w.record("a body that is no object", "POST", app+"/announcements", `["ana"]`)
	w.record("the body is checked before the conversation is looked up", "POST", unknown+"/messages", "{}")
	w.record("then the conversation", "POST", unknown+"/messages", textFrom("ana", "hi"))
	w.record("an unknown conversation", "GET", unknown, "")
	w.golden("checks.golden")
}

func TestAcceptIsReadLeniently(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	for _, accept := range []string{
		"application/vnd.layer+json; version=1.0",
		"application/vnd.layer+json;version=1.1",
		"APPLICATION/VND.LAYER+JSON; Version=1.0",
		`application/vnd.layer+json; version="1.0"`,
		"text/html, application/vnd.layer+json; version=1.0",
	} {
		if a := w.do("GET", app+"/conversations/"+convA, "", "Accept", accept); a.status != 200 {
			t.Errorf("Accept: %s: got %d %s, want 200", accept, a.status, a.body)
		}
	}
}

// TestRecordedErrors holds the emulator to the bytes that the service was
// recorded with.
func TestRecordedErrors(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	missing := func(property string) string {
		return `{"url":"https://developer.layer.com/docs/platform","data":{"property":"` + property +
			`"},"code":104,"id":"missing_property","message":"Object is missing required member '` + property + `'"}`
	}
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"conversation without participants", "POST", "/conversations", "{}", 422, missing("participants")},
		{"message without sender", "POST", "/conversations/" + convA + "/messages", "{}", 422, missing("sender")},
		{"announcement without recipients", "POST", "/announcements", "{}", 422, missing("recipients")},
		{"block without user_id", "POST", "/users/ana/blocks", "{}", 422, missing("user_id")},
		{
			"unknown message", "GET", "/conversations/" + convA + "/messages/" + msg1, "", 404,
			`{"code":102,"id":"not_found","message":"A Message with the specified identifier could not be found.","url":"https://developer.layer.com/docs/client/rest#not_found"}`,
		},
		{"no UUID", "GET", "/conversations/notfound", "", 404, "The requested resource could not be found."},
	} {
		a := w.do(tt.method, app+tt.path, tt.body)
		if a.status != tt.status {
			t.Errorf("%s: got status %d, want %d", tt.name, a.status, tt.status)
		}
		if diff := cmp.Diff(tt.want, a.body); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestMethodOverrideStandsForPatchOnly(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a := w.do("POST", app+"/conversations", `{"participants":["ana"]}`, "X-HTTP-Method-Override", "DELETE")
	if a.status != 201 {
		t.Errorf("POST overridden by DELETE: got %d, want the POST's 201", a.status)
	}
	a = w.do("POST", app+"/conversations", `[]`, "X-HTTP-Method-Override", "PATCH", "Content-Type", patchJSON)
	if a.status != 405 || !strings.Contains(a.body, "PATCH") {
		t.Errorf("POST overridden by PATCH: got %d %s, want 405 for PATCH", a.status, a.body)
	}
}

func TestAppsAreApart(t *testing.T) {
	t.Parallel()
	second := layertest.App{ID: layertest.DefaultApp().ID, Token: "again"}
	third := layertest.App{Token: "third"}
	if err := third.ID.UnmarshalText([]byte(other)); err != nil {
		t.Fatal(err)
	}
	w := newWire(t, layertest.WithConfig(layertest.Config{Apps: []layertest.App{layertest.DefaultApp(), second, third}}))
	w.conversation()
	for _, tt := range []struct {
		app, token string
		want       int
	}{
		{layertest.DefaultAppID, "sandbox", 200},
		{layertest.DefaultAppID, "again", 200},
		{layertest.DefaultAppID, "third", 403},
		{other, "sandbox", 403},
		{other, "third", 404},
	} {
		a := w.do("GET", "/apps/"+tt.app+"/conversations/"+convA, "", "Authorization", "Bearer "+tt.token)
		if a.status != tt.want {
			t.Errorf("app %s with token %s: got %d, want %d", tt.app, tt.token, a.status, tt.want)
		}
	}
}
