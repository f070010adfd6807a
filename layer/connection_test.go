package layer_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
)

func TestRedirectsKeepTheToken(t *testing.T) {
	t.Parallel()
	elsewhere := newFake(t, answer(200, helloAnswer))
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	c := f.client(t)
	_, sent := c.Messages.Send(t.Context(), conv, dedupe, hello)
	_, got := c.Messages.Get(t.Context(), conv, message)
	for _, err := range []error{sent, got} {
		e, ok := errors.AsType[*layer.Error](err)
		if !ok || e.Status != 307 || !strings.HasPrefix(e.Location, elsewhere.URL) || layer.IsTransient(err) {
			t.Errorf("got %v", err)
		}
	}
	if n := len(elsewhere.seen()); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := layer.New(app, secret, layer.WithBaseURL("http://"+address))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Messages.Get(t.Context(), conv, message)
	e, ok := errors.AsType[*layer.TransportError](err)
	if !ok || e.Kind != layer.KindConnect || !strings.Contains(err.Error(), address) || !layer.IsTransient(err) {
		t.Errorf("got %v", err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(answer(200, helloAnswer))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)

	stranger, err := layer.New(app, secret, layer.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.Messages.Get(t.Context(), conv, message)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindTLS || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}

	var protocol string
	friend, err := layer.New(app, secret, layer.WithBaseURL(server.URL), layer.WithHTTPClient(&http.Client{Transport: recording{server.Client().Transport, &protocol}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := friend.Messages.Get(t.Context(), conv, message); err != nil || protocol != "HTTP/2.0" {
		t.Errorf("over %s: %v", protocol, err)
	}
}

type recording struct {
	http.RoundTripper
	protocol *string
}

func (r recording) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(request)
	if err == nil {
		*r.protocol = response.Proto
	}
	return response, err
}

func TestPlainServerUnderHTTPS(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(200, helloAnswer))
	c := f.client(t, layer.WithBaseURL(strings.Replace(f.URL, "http:", "https:", 1)))
	_, err := c.Messages.Get(t.Context(), conv, message)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindTLS {
		t.Errorf("got %v", err)
	}
}

func TestCanceledByTheCaller(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) { close(asked); silent(w, r) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := f.client(t).Messages.Send(ctx, conv, dedupe, hello)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindCanceled || !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	f = newFake(t, silent)
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = f.client(t).Messages.Send(ctx, conv, dedupe, hello)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindCanceled || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline: %v", err)
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	connections := make(chan string, 1000)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case connections <- r.RemoteAddr:
		default:
		}
		switch r.Method {
		case http.MethodGet:
			answer(404, `{"id":"not_found","code":102}`)(w, r)
		case http.MethodDelete:
			answer(204, "")(w, r)
		default:
			answer(201, helloAnswer)(w, r)
		}
	})
	c := f.client(t)
	for range 30 {
		if _, err := c.Messages.Send(t.Context(), conv, dedupe, hello); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Messages.Get(t.Context(), conv, message); !errors.Is(err, layer.CodeNotFound) {
			t.Fatal(err)
		}
		if err := c.Messages.Delete(t.Context(), conv, message); err != nil {
			t.Fatal(err)
		}
	}
	close(connections)
	different := map[string]bool{}
	for address := range connections {
		different[address] = true
	}
	if len(different) != 1 {
		t.Errorf("%d connections for calls one after another", len(different))
	}
}
