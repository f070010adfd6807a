package layer_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/layerq/layerq/layer"
)

func TestTokenSource(t *testing.T) {
	t.Parallel()
	var token atomic.Pointer[string]
	token.Store(new(""))
	f := newFake(t, answer(201, helloAnswer))
	c := f.client(t, layer.WithTokenSource(func() string { return *token.Load() }))
	for i, step := range []struct{ source, want string }{
		{"", secret},
		{"second", "second"},
		{"third\r\nHost: x", secret},
		{"fourth", "fourth"},
	} {
		token.Store(new(step.source))
		if _, err := c.Messages.Send(t.Context(), conv, dedupe, hello); err != nil {
			t.Fatal(err)
		}
		if got := f.seen()[i].Header.Get("Authorization"); got != "Bearer "+step.want {
			t.Errorf("with %q from the source %q was sent, want %q", step.source, got, step.want)
		}
	}
}

// A token that is replaced while its attempt is under way stays out of the error.
func TestReplacedTokenStaysSecret(t *testing.T) {
	t.Parallel()
	var token atomic.Pointer[string]
	token.Store(new("the-old-one"))
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		token.Store(new("the-new-one"))
		answer(401, `{"id":"authentication_required","code":4,"message":"`+r.Header.Get("Authorization")+` is not valid"}`)(w, r)
	})
	_, err := f.client(t, layer.WithTokenSource(func() string { return *token.Load() })).Messages.Send(t.Context(), conv, dedupe, hello)
	if layer.CodeOf(err) != layer.CodeAuthenticationRequired || strings.Contains(err.Error(), "the-old-one") {
		t.Errorf("got %v", err)
	}
}

func TestLimiterLearnsTheCode(t *testing.T) {
	t.Parallel()
	books := &ledger{}
	f := newFake(t, answer(403, `{"id":"app_suspended","code":3}`))
	_, err := f.client(t, layer.WithLimiter(books)).Messages.Send(t.Context(), conv, dedupe, hello)
	if len(books.answers) != 1 || books.answers[0].Code != layer.CodeOf(err) || books.answers[0].Code == "" {
		t.Errorf("the limiter learned %+v of %v", books.answers, err)
	}
}
