package admin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testToken = "correct horse battery staple"

// newAdmin returns the handler of a worker that is ready, on a Redis of its own.
func newAdmin(t *testing.T, change func(*Options)) *Admin {
	t.Helper()
	opts := Options{
		Addr:    "127.0.0.1:8080",
		Redis:   redistest.New(t),
		Metrics: prometheus.NewRegistry(),
		Ready:   func(context.Context) []string { return nil },
		Page: func(context.Context) Page {
			return Page{State: "running", Queues: []Queue{{Name: "default", Pending: 3, Latency: 1500 * time.Millisecond, Concurrency: 32}}}
		},
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&opts)
	}
	return New(opts)
}

// ask serves one request that comes from this host, as changed.
func ask(t *testing.T, h http.Handler, method, path string, body io.Reader, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, body)
	r.Host, r.RemoteAddr = "127.0.0.1:8080", "127.0.0.1:50000"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
