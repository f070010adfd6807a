package admin

import (
	"net/http"
	"strings"
	"testing"
)

func set(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func from(peer string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = peer }
}

func host(name string) func(*http.Request) {
	return func(r *http.Request) { r.Host = name }
}

func TestGuard_without_a_token(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, func(o *Options) { o.Addr = "worker-7.internal:8080" })
	for _, c := range []struct {
		name         string
		method, path string
		change       func(*http.Request)
		want         int
	}{
		{"start page for this host", "GET", "/", nil, 200},
		{"asynqmon for this host", "GET", "/asynqmon/", nil, 200},
		{"asynqmon's data for this host", "GET", "/asynqmon/api/queues", nil, 200},
		{"IPv6 loopback", "GET", "/", from("[::1]:50000"), 200},
		{"IPv4 loopback written as IPv6", "GET", "/", from("[::ffff:127.0.0.1]:50000"), 200},
		{"another address of the loopback net", "GET", "/", from("127.8.9.10:50000"), 200},
		{"another host", "GET", "/", from("192.168.1.4:50000"), 403},
		{"another host asks asynqmon", "GET", "/asynqmon/api/queues", from("10.0.0.9:50000"), 403},
		{"another host, page that does not exist", "GET", "/nothing", from("10.0.0.9:50000"), 403},
		{"no peer at all", "GET", "/", from(""), 403},

		{"a proxy on this host", "GET", "/", set("X-Forwarded-For", "198.51.100.7"), 403},
		{"a proxy that writes Forwarded", "GET", "/", set("Forwarded", "for=198.51.100.7"), 403},
		{"a proxy that claims loopback", "GET", "/", set("X-Real-IP", "127.0.0.1"), 403},

		{"host localhost", "GET", "/", host("localhost:8080"), 200},
		{"host in capitals, with the root's dot", "GET", "/", host("LOCALHOST.:8080"), 200},
		{"host below localhost", "GET", "/", host("layerq.localhost"), 200},
		{"host is another IP address: a container's", "GET", "/", host("172.18.0.4:8080"), 200},
		{"host is an IPv6 address", "GET", "/", host("[::1]:8080"), 200},
		{"host is the configured one", "GET", "/", host("worker-7.internal:8080"), 200},
		{"rebound name", "GET", "/", host("attacker.example"), 403},
		{"rebound name with a port", "GET", "/asynqmon/api/queues", host("attacker.example:8080"), 403},
		{"rebound name that ends like a good one", "GET", "/", host("evil-localhost"), 403},
		{"rebound name that begins like an address", "GET", "/", host("127.0.0.1.attacker.example"), 403},
		{"no host", "GET", "/", host(""), 403},

		{"pausing a queue", "POST", "/asynqmon/api/queues/default:pause", nil, 403},
		{"deleting a queue", "DELETE", "/asynqmon/api/queues/default", nil, 403},
		{"an unknown method", "BREW", "/asynqmon/api/queues", nil, 403},
		{"a token that nobody set", "GET", "/", set("Authorization", "Bearer "), 200},

		{"health for everybody", "GET", "/livez", from("198.51.100.7:1"), 200},
		{"readiness for everybody, by any name", "GET", "/readyz", host("worker:8080"), 200},
		{"metrics for everybody, by any name", "GET", "/metrics", host("worker:8080"), 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := ask(t, a, c.method, c.path, nil, c.change); got.Code != c.want {
				t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, got.Code, c.want, got.Body)
			}
		})
	}
}

func TestGuard_with_a_token(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, func(o *Options) { o.Token = testToken })
	bearer := set("Authorization", "Bearer "+testToken)
	for _, c := range []struct {
		name         string
		method, path string
		change       func(*http.Request)
		want         int
	}{
		{"the token", "GET", "/", bearer, 200},
		{"the token, scheme in small letters", "GET", "/", set("Authorization", "bearer "+testToken), 200},
		{"the token from elsewhere", "GET", "/asynqmon/api/queues", func(r *http.Request) { bearer(r); r.RemoteAddr = "198.51.100.7:1" }, 200},
		{"the token, through a proxy, by a name", "GET", "/", func(r *http.Request) {
			bearer(r)
			r.Host = "layerq.example.com"
			r.Header.Set("X-Forwarded-For", "198.51.100.7")
		}, 200},
		{"pausing with the token", "POST", "/asynqmon/api/queues/default:pause", bearer, 204},
		{"pausing with the token, sent by another site", "POST", "/asynqmon/api/queues/default:pause", func(r *http.Request) {
			bearer(r)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}, 403},
		{"pausing with the token, sent by an old browser on another site", "POST", "/asynqmon/api/queues/default:pause", func(r *http.Request) {
			bearer(r)
			r.Header.Set("Origin", "https://attacker.example")
		}, 403},
		{"pausing from the page itself", "POST", "/asynqmon/api/queues/bulk:pause", func(r *http.Request) {
			bearer(r)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Origin", "http://127.0.0.1:8080")
		}, 204},

		{"no token, from this host", "GET", "/", nil, 401},
		{"no token, asynqmon", "GET", "/asynqmon/", nil, 401},
		{"no token, page that does not exist", "GET", "/nothing", nil, 401},
		{"no token, a write", "DELETE", "/asynqmon/api/queues/default", nil, 401},
		{"a wrong token", "GET", "/", set("Authorization", "Bearer "+testToken+"x"), 401},
		{"the beginning of the token", "GET", "/", set("Authorization", "Bearer "+testToken[:5]), 401},
		{"an empty token", "GET", "/", set("Authorization", "Bearer "), 401},
		{"another scheme", "GET", "/", set("Authorization", "Basic "+testToken), 401},
		{"the token without a scheme", "GET", "/", set("Authorization", testToken), 401},
		{"the token as a cookie", "GET", "/", set("Cookie", cookieName+"="+strings.ReplaceAll(testToken, " ", "+")), 401},
		{"a made-up session", "GET", "/", set("Cookie", cookieName+"=9999999999.AAAA"), 401},
		{"a session without a seal", "GET", "/", set("Cookie", cookieName+"=9999999999"), 401},

		{"health without", "GET", "/livez", nil, 200},
		{"readiness without", "GET", "/readyz", nil, 200},
		{"metrics without", "GET", "/metrics", nil, 200},
		{"the form without", "GET", "/login", nil, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, a, c.method, c.path, nil, c.change)
			if got.Code != c.want {
				t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, got.Code, c.want, got.Body)
			}
			if got.Code == 401 && got.Header().Get("WWW-Authenticate") == "" {
				t.Error("a 401 does not say how to authenticate")
			}
			if strings.Contains(got.Body.String(), testToken) {
				t.Error("the answer contains the token")
			}
		})
	}
}

func TestPages_name_the_methods_that_they_take(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]*Admin{
		"without a token": newAdmin(t, nil),
		"with a token":    newAdmin(t, func(o *Options) { o.Token = testToken }),
	} {
		for path, allow := range map[string]string{
			"/livez": "GET, HEAD", "/readyz": "GET, HEAD", "/metrics": "GET, HEAD", "/": "GET, HEAD",
			"/login": "GET, HEAD, POST", "/logout": "POST",
		} {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"} {
				w := ask(t, a, method, path, nil, nil)
				if strings.Contains(allow, method) {
					if w.Code == 405 {
						t.Errorf("%s: %s %s: %d", name, method, path, w.Code)
					}
					continue
				}
				if got := w.Header().Get("Allow"); w.Code != 405 || got != allow {
					t.Errorf("%s: %s %s: %d, Allow %q; want 405 and %q", name, method, path, w.Code, got, allow)
				}
			}
		}
	}
}

func TestHeaders_allow_no_other_site(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, nil)
	for _, path := range []string{"/", "/livez", "/readyz", "/metrics", "/asynqmon/", "/asynqmon/api/queues", "/nothing"} {
		for _, method := range []string{"GET", "OPTIONS"} {
			w := ask(t, a, method, path, nil, set("Origin", "https://attacker.example"))
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s sends %s", method, path, name)
				}
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s %s: headers missing: %v", method, path, w.Header())
			}
		}
	}
	for _, path := range []string{"/", "/asynqmon/"} {
		policy := ask(t, a, "GET", path, nil, nil).Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "http") {
			t.Errorf("%s: Content-Security-Policy %q", path, policy)
		}
	}
}
