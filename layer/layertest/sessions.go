package layertest

import "net/http"

var sessionRoutes = []route{
	{method: http.MethodDelete, path: "/apps/:app/users/:user/sessions", handle: (*call).deleteSessions},
	{method: http.MethodPatch, path: "/apps/:app", handle: (*call).patchApp},
}

// deleteSessions answers DELETE /apps/A/users/U/sessions. There are no
// sessions here: users do not log in to the Platform API.
//
// Layer docs: platform, users, sessions.
func (c *call) deleteSessions() (answer, *failure) { return noContent(), nil }

// The bounds of a session's time to live, in seconds.
const (
	minSessionTTL = 30
	maxSessionTTL = 31_536_000
)

// patchApp answers PATCH /apps/A: how long sessions live.
//
// Layer docs: platform, users, session TTL.
func (c *call) patchApp() (answer, *failure) {
	ops, f := c.decodePatch()
	if f != nil {
		return answer{}, f
	}
	ttl := 0
	for _, op := range ops {
		if op.property != "session_ttl_in_seconds" || op.kind != opSet {
			return answer{}, op.wrong("an app has session_ttl_in_seconds, which takes set")
		}
		n, ok := wholeNumber(op.value)
		if !ok || n < minSessionTTL || n > maxSessionTTL {
			return answer{}, invalid("session_ttl_in_seconds", "it must be a whole number from 30 to 31536000")
		}
		ttl = n
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if ttl != 0 {
			tx.settings.SessionTTL = ttl
			tx.touch(&tx.settings)
		}
		return accepted(), nil
	})
}

// wholeNumber reads a JSON number without a fraction.
func wholeNumber(v any) (int, bool) {
	n, ok := v.(float64)
	return int(n), ok && n == float64(int(n))
}
