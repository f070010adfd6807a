package layer

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The versions of the Platform API that this client speaks.
const (
	Version10 = "1.0"
	Version11 = "1.1"
)

// Defaults of [New].
const (
	DefaultBaseURL        = "https://api.layer.com"
	DefaultTimeout        = 10 * time.Second
	DefaultAttemptRetries = 2
	defaultUserAgent      = "layerq (+https://github.com/layerq/layerq)"
)

// Option changes a default of [New].
type Option func(*Client) error

// WithBaseURL sets where the API is: an absolute http or https URL without query,
// fragment or password. A path is put before every request's. Defaults to
// [DefaultBaseURL].
func WithBaseURL(base string) Option {
	return func(c *Client) error {
		u, err := url.Parse(base)
		switch {
		case err != nil:
			return errors.New("base URL: cannot be parsed; want https://HOST") // the parser's text would repeat a password
		case u.Scheme != "http" && u.Scheme != "https":
			return fmt.Errorf("base URL: scheme %s; want https or http", quote(u.Scheme))
		case u.Host == "" || u.Hostname() == "":
			return errors.New("base URL: has no host; want https://HOST")
		case u.User != nil:
			return errors.New("base URL: holds a user or password; the token is all that is sent")
		case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
			return errors.New("base URL: has a query or fragment; want https://HOST")
		}
		c.base = &url.URL{Scheme: u.Scheme, Host: u.Host}
		c.basePath = strings.TrimRight(u.EscapedPath(), "/")
		return nil
	}
}

// WithVersion sets the version asked for in Accept: "1.0", the default, or "1.1".
// 2.0 and 3.0 are other APIs, with identities in place of user ids, and refused.
func WithVersion(version string) Option {
	return func(c *Client) error {
		switch version {
		case Version10, Version11:
			c.version = version
			return nil
		case "2.0", "3.0":
			return fmt.Errorf("version %s: is another API, with identities in place of user ids, and out of scope here; use 1.0 or 1.1", version)
		default:
			return fmt.Errorf("version %s: is not known; use 1.0 or 1.1", quote(version))
		}
	}
}

// WithTimeout bounds one HTTP attempt, from connecting to the end of the answer.
// Uploads and downloads are bounded by how long no byte moves instead. Defaults
// to [DefaultTimeout].
func WithTimeout(timeout time.Duration) Option {
	return func(c *Client) error {
		if timeout <= 0 {
			return fmt.Errorf("timeout: is %s, want more than 0", timeout)
		}
		c.timeout = timeout
		return nil
	}
}

// WithHTTPClient makes requests through a copy of hc: for a transport of one's
// own. Its Timeout and CheckRedirect are not used. [Client.Close] then
// leaves its connections alone.
func WithHTTPClient(hc *http.Client) Option {
	return func(c *Client) error {
		if hc == nil {
			return errors.New("HTTP client: is nil")
		}
		c.useHTTPClient(hc)
		return nil
	}
}

// WithLimiter asks l before every HTTP attempt that goes to the API's host.
func WithLimiter(l Limiter) Option {
	return func(c *Client) error {
		if l == nil {
			return errors.New("limiter: is nil")
		}
		c.limiter = l
		return nil
	}
}

// WithTokenSource asks source for the token of each HTTP attempt, in place of the
// one given to [New], which is used while source returns nothing that can be sent: for tokens that
// change while the client is in use. source is called from many goroutines and
// should return at once.
func WithTokenSource(source func() string) Option {
	return func(c *Client) error {
		if source == nil {
			return errors.New("token source: is nil")
		}
		first := c.token
		c.token = func() string {
			if token := source(); token != "" && isHeaderValue(token) {
				return token
			}
			return first()
		}
		return nil
	}
}

// WithUserAgent sets the User-Agent header.
func WithUserAgent(agent string) Option {
	return func(c *Client) error {
		if agent == "" || !isHeaderValue(agent) {
			return errors.New("user agent: is empty or holds control characters")
		}
		c.userAgent = agent
		return nil
	}
}

// WithObserver tells o of every HTTP attempt. Given twice, both are told.
func WithObserver(o Observer) Option {
	return func(c *Client) error {
		if o == nil {
			return errors.New("observer: is nil")
		}
		c.observers = append(c.observers, o)
		return nil
	}
}

// WithAttemptRetries sets how often one call repeats a failed HTTP attempt
// before it returns the failure: within a second or so, only requests that are
// idempotent or carry a dedupe UUID, and never one that timed out. 0 switches it
// off. Defaults to [DefaultAttemptRetries].
func WithAttemptRetries(n int) Option {
	return func(c *Client) error {
		if n < 0 || n > 10 {
			return fmt.Errorf("attempt retries: is %d, want 0 to 10", n)
		}
		c.retries = n
		return nil
	}
}

// isHeaderValue tells whether s can be sent as the value of a header.
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
