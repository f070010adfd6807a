package admin

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// A guard stands before everything but health and metrics.
type guard struct {
	token  string // of the administrator; "" means none is set
	listen string // the host of the listen address, as it was configured
	cross  *http.CrossOriginProtection
}

func newGuard(token, addr string) *guard {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	return &guard{token: token, listen: strings.ToLower(host), cross: http.NewCrossOriginProtection()}
}

// A refusal is why a request is not served. The zero value means that it is.
type refusal struct {
	status int
	reason string
}

// check decides about one request. Reading and writing are told apart here
// and nowhere else: what passes may be carried out.
func (g *guard) check(r *http.Request) refusal {
	if err := g.cross.Check(r); err != nil {
		return refusal{http.StatusForbidden, "another site sent this request"}
	}
	if g.token != "" {
		// A page on another site has neither the token nor, since browsers keep
		// cookies by host, the cookie: whoever shows one may call this host by any
		// name, for example that of a service or an ingress.
		if g.authorized(r) {
			return refusal{}
		}
		return refusal{http.StatusUnauthorized, "the admin token is needed: Authorization: Bearer LAYERQ_ADMIN_TOKEN"}
	}
	switch {
	case !isLoopback(r.RemoteAddr):
		return refusal{http.StatusForbidden, "without LAYERQ_ADMIN_TOKEN this is served to loopback callers only"}
	case isForwarded(r.Header):
		return refusal{http.StatusForbidden, "a proxy forwarded this request: without LAYERQ_ADMIN_TOKEN callers must be on this host themselves"}
	case !g.knowsHost(r.Host):
		return refusal{http.StatusForbidden, "the Host header names neither this host nor an IP address"}
	case !isSafe(r.Method):
		return refusal{http.StatusForbidden, "without LAYERQ_ADMIN_TOKEN this is read-only"}
	}
	return refusal{}
}

// authorized reports whether r carries the token or the cookie made from it.
func (g *guard) authorized(r *http.Request) bool {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && g.isToken(strings.TrimSpace(given)) {
		return true
	}
	cookie, err := r.Cookie(cookieName)
	return err == nil && g.isSession(cookie.Value)
}

// isToken compares in a time that tells nothing about the token, not even its
// length: what is compared are digests.
func (g *guard) isToken(given string) bool {
	want, got := sha256.Sum256([]byte(g.token)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// sign makes the seal of a session. Whoever changes the token ends them all.
func (g *guard) sign(session string) []byte {
	mac := hmac.New(sha256.New, []byte(g.token))
	mac.Write([]byte("layerq admin session\n" + session))
	return mac.Sum(nil)
}

// knowsHost reports whether a Host header is one that a page of a foreign name
// cannot have: an IP address, a loopback name or the configured listen host.
// A name of the attacker's that resolves to 127.0.0.1 is none of these.
func (g *guard) knowsHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (host != "" && host == g.listen)
}

func isLoopback(remoteAddr string) bool {
	peer, err := netip.ParseAddrPort(remoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

// forwardingHeaders are what reverse proxies add. One on this host would make
// the whole world look like loopback.
var forwardingHeaders = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"}

func isForwarded(h http.Header) bool {
	for _, name := range forwardingHeaders {
		if len(h.Values(name)) > 0 {
			return true
		}
	}
	return false
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead
}
