package admin

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	cookieName = "layerq_admin"

	// A working day: long enough for an incident, short enough for a browser
	// that was left open.
	sessionLife = 12 * time.Hour

	maxLoginBytes = 8 << 10
)

// A session is its end and a seal over it: nothing is kept in the worker, so it
// survives a restart, holds on every worker with the same token, and does not
// contain the token.
func (g *guard) newSession(now time.Time) string {
	end := strconv.FormatInt(now.Add(sessionLife).Unix(), 10)
	return end + "." + base64.RawURLEncoding.EncodeToString(g.sign(end))
}

func (g *guard) isSession(value string) bool {
	end, seal, _ := strings.Cut(value, ".")
	got, err := base64.RawURLEncoding.DecodeString(seal)
	if err != nil || !hmac.Equal(got, g.sign(end)) {
		return false
	}
	unix, err := strconv.ParseInt(end, 10, 64)
	return err == nil && time.Now().Before(time.Unix(unix, 0))
}

// login answers the form with a cookie, and everything else with the form.
func (a *Admin) login(w http.ResponseWriter, r *http.Request) {
	if a.guard.token == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if r.Method != http.MethodPost {
		a.showLogin(w, http.StatusOK, "")
		return
	}
	if err := a.guard.cross.Check(r); err != nil {
		a.refuse(w, r, refusal{http.StatusForbidden, "another site sent this request"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLoginBytes)
	if !a.guard.isToken(r.PostFormValue("token")) {
		a.log.Warn("admin login refused", "peer", r.RemoteAddr)
		a.showLogin(w, http.StatusUnauthorized, "That is not the admin token.")
		return
	}
	http.SetCookie(w, a.cookie(r, a.guard.newSession(time.Now()), int(sessionLife.Seconds())))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *Admin) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, a.cookie(r, "", -1))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (a *Admin) cookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure where the browser speaks TLS: see below
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
		// The admin address itself speaks HTTP; a proxy before it may speak TLS.
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
}

func acceptsHTML(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
