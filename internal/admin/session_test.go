package admin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func logIn(t *testing.T, a *Admin, token string, change func(*http.Request)) *http.Response {
	t.Helper()
	form := strings.NewReader(url.Values{"token": {token}}.Encode())
	return ask(t, a, "POST", "/login", form, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if change != nil {
			change(r)
		}
	}).Result()
}

func TestLogin_gives_a_session(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, func(o *Options) { o.Token = testToken })

	resp := logIn(t, a, testToken, nil)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
		t.Fatalf("status %d, cookies %v", resp.StatusCode, resp.Cookies())
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || strings.Contains(c.Value, "correct") {
		t.Errorf("cookie %v", c)
	}
	for name, value := range map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8080"} {
		again := logIn(t, a, testToken, set(name, value))
		_ = again.Body.Close()
		if again.StatusCode != http.StatusSeeOther {
			t.Errorf("a browser that sends %s: %s gets %d", name, value, again.StatusCode)
		}
	}
	with := func(r *http.Request) { r.AddCookie(c) }
	if got := ask(t, a, "GET", "/", nil, with); got.Code != 200 || !strings.Contains(got.Body.String(), "log out") {
		t.Errorf("start page with the session: %d %s", got.Code, got.Body)
	}
	if got := ask(t, a, "POST", "/asynqmon/api/queues/default:pause", nil, with); got.Code != http.StatusNoContent {
		t.Errorf("pausing with the session: %d %s", got.Code, got.Body)
	}

	other := newAdmin(t, func(o *Options) { o.Token = testToken + "2" })
	if got := ask(t, other, "GET", "/", nil, with); got.Code != 401 {
		t.Errorf("the session outlived a change of the token: %d", got.Code)
	}
	out := ask(t, a, "POST", "/logout", nil, with).Result()
	defer out.Body.Close()
	if len(out.Cookies()) != 1 || out.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logging out sets %v", out.Cookies())
	}
}

func TestLogin_refused(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, func(o *Options) { o.Token = testToken })
	for _, c := range []struct {
		name, token string
		change      func(*http.Request)
		want        int
	}{
		{"a wrong token", "wrong", nil, 401},
		{"no token", "", nil, 401},
		{"a form of 1 MiB", strings.Repeat("x", 1<<20), nil, 401},
		{"a form on another site", testToken, set("Sec-Fetch-Site", "cross-site"), 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resp := logIn(t, a, c.token, c.change)
			defer resp.Body.Close()
			if resp.StatusCode != c.want || len(resp.Cookies()) != 0 {
				t.Errorf("status %d, want %d; cookies %v", resp.StatusCode, c.want, resp.Cookies())
			}
		})
	}
	if got := newAdmin(t, nil); ask(t, got, "GET", "/login", nil, nil).Code != http.StatusSeeOther {
		t.Error("without a token there is nothing to log in to")
	}
}

func TestLogin_page_greets_browsers_only(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, func(o *Options) { o.Token = testToken })
	if got := ask(t, a, "GET", "/asynqmon/", nil, set("Accept", "text/html,*/*")); got.Code != 401 || !strings.Contains(got.Body.String(), "<form") {
		t.Errorf("a browser gets %d %s", got.Code, got.Body)
	}
	if got := ask(t, a, "GET", "/asynqmon/", nil, set("Accept", "application/json")); got.Code != 401 || strings.Contains(got.Body.String(), "<form") {
		t.Errorf("a program gets %d %s", got.Code, got.Body)
	}
}

func TestSession_ends(t *testing.T) {
	t.Parallel()
	g := newGuard(testToken, "127.0.0.1:8080")
	if !g.isSession(g.newSession(time.Now())) {
		t.Error("a new session is none")
	}
	if g.isSession(g.newSession(time.Now().Add(-sessionLife - time.Minute))) {
		t.Error("a session of yesterday still is one")
	}
}
