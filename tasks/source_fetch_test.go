package tasks

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
)

// host is a web server with sources, and the Sources of a worker that trusts it.
type host struct {
	*httptest.Server

	sources *Sources
}

func newHost(t *testing.T, handler http.HandlerFunc) *host {
	t.Helper()
	srv := httptest.NewTLSServer(handler)
	t.Cleanup(srv.Close)
	sources, err := NewSources(Sources{AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	sources.fetch = newFetcher(true, roots)
	t.Cleanup(sources.fetch.client.CloseIdleConnections)
	return &host{srv, sources}
}

// fetch reads a source to its end.
func (s *Sources) fetchAll(ctx context.Context, source string) (string, error) {
	content, err := s.open(ctx, source)
	if err != nil {
		return "", err
	}
	defer content.Close()
	b, err := io.ReadAll(content)
	if err == nil && int64(len(b)) != content.size {
		err = fmt.Errorf("%d bytes, %d announced", len(b), content.size)
	}
	return string(b), err
}

func web(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/file":
		_, _ = io.WriteString(w, "content")
	case "/chunked":
		for range 3 {
			_, _ = io.WriteString(w, "abc")
			http.NewResponseController(w).Flush() //nolint:errcheck // of a test
		}
	case "/endless":
		chunk := strings.Repeat("x", 1<<20)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	case "/cut":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "only this")
	case "/stalls":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "and then")
		http.NewResponseController(w).Flush() //nolint:errcheck // of a test
		<-r.Context().Done()
	case "/hangs":
		<-r.Context().Done()
	case "/large":
		w.Header().Set("Content-Length", "3000000000")
	case "/empty":
	case "/redirect":
		http.Redirect(w, r, "/file", http.StatusFound)
	case "/to-http":
		http.Redirect(w, r, "http://"+r.Host+"/file", http.StatusFound)
	case "/to-user":
		http.Redirect(w, r, "https://user:secret@"+r.Host+"/file", http.StatusFound)
	case "/to-nowhere":
		w.Header().Set("Location", "https://host/%zz?signature=secret")
		w.WriteHeader(http.StatusFound)
	case "/to-scheme":
		http.Redirect(w, r, "secret-words:///file", http.StatusFound)
	case "/garbage":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, "HTTQ/secret words\r\n\r\n")
		_ = conn.Close()
	case "/loop":
		http.Redirect(w, r, "/loop", http.StatusFound)
	case "/503":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "/429":
		w.WriteHeader(http.StatusTooManyRequests)
	case "/206":
		w.WriteHeader(http.StatusPartialContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	h := newHost(t, web)
	for _, c := range []struct {
		name, path, want, problem string
		temporary                 bool
	}{
		{"a source", "/file?signature=secret", "content", "", false},
		{"one of unknown size", "/chunked", "abcabcabc", "", false},
		{"one behind a redirection", "/redirect", "content", "", false},
		{"redirected to http", "/to-http", "", "is redirected to what is no source: not by https", false},
		{"redirected with a password", "/to-user", "", "is redirected to what is no source: source: holds a user; a password would lie open in the queue", false},
		{"redirected for ever", "/loop", "", "is redirected to what is no source: more than 5 times", false},
		{"without an end", "/endless", "", "the server does not tell its size, and it is over 8388608 bytes", false},
		{"too large", "/large", "", "has 3000000000 bytes, at most 2147483648 are taken", false},
		{"empty", "/empty", "", "is empty", false},
		{"gone", "/gone?signature=secret", "", "the server answered 404", false},
		{"a part of it", "/206", "", "the server answered 206", false},
		{"down", "/503", "", "the server answered 503", true},
		{"busy", "/429", "", "the server answered 429", true},
		{"cut", "/cut", "", "cannot be fetched: the connection was cut", true},
		{"redirected to what is no URL", "/to-nowhere", "", "cannot be fetched: no usable answer came", true},
		{"redirected by an unlikely scheme", "/to-scheme", "", "is redirected to what is no source: not by https", false},
		{"no HTTP", "/garbage", "", "cannot be fetched: no usable answer came", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := h.sources.fetchAll(t.Context(), h.URL+c.path)
			if c.problem == "" {
				if err != nil || got != c.want {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			failed, ok := errors.AsType[*SourceError](err)
			path, _, _ := strings.Cut(c.path, "?")
			if !ok || failed.Problem != c.problem || failed.Temporary != c.temporary || failed.Source != h.URL+path {
				t.Errorf("got %#v", err)
			}
			if _, transport := errors.AsType[*layer.TransportError](err); transport != c.temporary {
				t.Errorf("a worker would not take %v for what it is", err)
			}
		})
	}
}

func TestFetchOfPrivateAddresses(t *testing.T) {
	t.Parallel()
	h := newHost(t, web)
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	h.sources.fetch = newFetcher(false, roots)
	port := h.Listener.Addr().String()[strings.LastIndex(h.Listener.Addr().String(), ":"):]
	for _, name := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::1]"} {
		_, err := h.sources.fetchAll(t.Context(), "https://"+name+port+"/file")
		failed, ok := errors.AsType[*SourceError](err)
		if !ok || failed.Temporary || failed.Problem != errPrivate.Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := newHost(t, web)
	for _, path := range []string{"/hangs", "/stalls"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := h.sources.fetchAll(ctx, h.URL+path)
		cancel()
		failed, ok := errors.AsType[*layer.TransportError](err)
		if !ok || failed.Kind != layer.KindCanceled || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestFetchThatStalls(t *testing.T) {
	t.Parallel()
	h := newHost(t, web)
	h.sources.fetch.idle = 50 * time.Millisecond
	_, err := h.sources.fetchAll(t.Context(), h.URL+"/stalls")
	if failed, ok := errors.AsType[*SourceError](err); !ok || !failed.Temporary || failed.Problem != "sends no more bytes" {
		t.Errorf("%v", err)
	}
}

func TestFetchOfUnknownHosts(t *testing.T) {
	t.Parallel()
	h := newHost(t, web)
	h.Close()
	_, err := h.sources.fetchAll(t.Context(), h.URL+"/file")
	failed, ok := errors.AsType[*SourceError](err)
	if !ok || !failed.Temporary || !strings.HasPrefix(failed.Problem, "cannot be fetched: no connection: connection refused") {
		t.Errorf("%v", err)
	}
}

func TestNewSourcesChecksItsSettings(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Sources{
		`tasks: sources: directory "srv" is no absolute path`:    {Dirs: []string{"srv"}},
		"tasks: sources: at most -1 bytes, want 1 to 2147483648": {MaxBytes: -1},
		"tasks: sources: timeout is negative: -1s":               {Timeout: -time.Second},
	} {
		if _, err := NewSources(s); errText(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
