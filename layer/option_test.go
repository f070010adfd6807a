package layer_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for want, try := range map[string]func() (*layer.Client, error){
		"layer: app id: is missing":                                                                                       func() (*layer.Client, error) { return layer.New(layer.AppID{}, secret) },
		"layer: token: is empty or holds control characters":                                                              func() (*layer.Client, error) { return layer.New(app, "") },
		"layer: token: is empty or holds control characters ":                                                             func() (*layer.Client, error) { return layer.New(app, "a\r\nHost: x") },
		`layer: base URL: scheme "ftp"; want https or http`:                                                               with(layer.WithBaseURL("ftp://a.example")),
		`layer: base URL: scheme ""; want https or http`:                                                                  with(layer.WithBaseURL("api.layer.com")),
		"layer: base URL: has no host; want https://HOST":                                                                 with(layer.WithBaseURL("https://:80/x")),
		"layer: base URL: cannot be parsed; want https://HOST":                                                            with(layer.WithBaseURL("https://user:pa ss@x\x7f")),
		"layer: base URL: holds a user or password; the token is all that is sent":                                        with(layer.WithBaseURL("https://user:pass@a.example")),
		"layer: base URL: has a query or fragment; want https://HOST":                                                     with(layer.WithBaseURL("https://a.example?x=y")),
		"layer: version 2.0: is another API, with identities in place of user ids, and out of scope here; use 1.0 or 1.1": with(layer.WithVersion("2.0")),
		"layer: version 3.0: is another API, with identities in place of user ids, and out of scope here; use 1.0 or 1.1": with(layer.WithVersion("3.0")),
		`layer: version "1": is not known; use 1.0 or 1.1`:                                                                with(layer.WithVersion("1")),
		"layer: timeout: is 0s, want more than 0":                                                                         with(layer.WithTimeout(0)),
		"layer: HTTP client: is nil":                                                                                      with(layer.WithHTTPClient(nil)),
		"layer: token source: is nil":                                                                                     with(layer.WithTokenSource(nil)),
		"layer: limiter: is nil":                                                                                          with(layer.WithLimiter(nil)),
		"layer: observer: is nil":                                                                                         with(layer.WithObserver(nil)),
		"layer: user agent: is empty or holds control characters":                                                         with(layer.WithUserAgent("\n")),
		"layer: attempt retries: is -1, want 0 to 10":                                                                     with(layer.WithAttemptRetries(-1)),
	} {
		c, err := try()
		if err == nil || err.Error() != strings.TrimSpace(want) || c != nil {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func with(o layer.Option) func() (*layer.Client, error) {
	return func() (*layer.Client, error) { return layer.New(app, secret, o) }
}

func TestNew(t *testing.T) {
	t.Parallel()
	c, err := layer.New(app, secret)
	if err != nil || c.App() != app || c.Version() != "1.0" || c.BaseURL() != "https://api.layer.com" {
		t.Errorf("%v %v %v %v", c.App(), c.Version(), c.BaseURL(), err)
	}
	c, err = layer.New(app, secret, layer.WithBaseURL("http://127.0.0.1:18080/a%2Fb/"), layer.WithVersion("1.1"))
	if err != nil || c.Version() != "1.1" || c.BaseURL() != "http://127.0.0.1:18080/a%2Fb" {
		t.Errorf("%v %v %v", c.Version(), c.BaseURL(), err)
	}
	hc := &http.Client{}
	if _, err := layer.New(app, secret, layer.WithHTTPClient(hc)); err != nil || hc.CheckRedirect != nil {
		t.Errorf("the HTTP client given was changed: %v", err)
	}
}

func TestAClientDoesNotPrintItsToken(t *testing.T) {
	t.Parallel()
	c, err := layer.New(app, secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{c, *c, c.Messages, *c.Messages} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, secret) {
				t.Errorf("%s of %T has the token: %s", verb, value, text)
			}
		}
	}
}
