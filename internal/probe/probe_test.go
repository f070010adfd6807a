package probe_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/layerq/layerq/internal/probe"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /draining", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"reasons":["draining"]}`, http.StatusServiceUnavailable)
	})
	mux.HandleFunc("GET /endless", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("x", 1<<20), http.StatusServiceUnavailable)
	})
	mux.Handle("GET /elsewhere", http.RedirectHandler("/ready", http.StatusFound))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	closed := httptest.NewServer(mux)
	closed.Close()

	for _, tt := range []struct {
		name, url string
		want      string // part of the error; "" for none
	}{
		{"200 is healthy", srv.URL + "/ready", ""},
		{"the reasons of a 503 are shown", srv.URL + "/draining", `503 Service Unavailable: {"reasons":["draining"]}`},
		{"a long body is cut", srv.URL + "/endless", "503 Service Unavailable: xxx"},
		{"a redirect is no health", srv.URL + "/elsewhere", "302 Found"},
		{"nobody listens", closed.URL, "connection refused"},
		{"no URL", "::", "missing protocol scheme"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := probe.Command()
			cmd.SetArgs([]string{tt.url})
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetOut(new(bytes.Buffer))
			err := cmd.ExecuteContext(t.Context())
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("probe %s: %v", tt.url, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("probe %s: %v, want an error with %q", tt.url, err, tt.want)
			case err != nil && len(err.Error()) > 1200:
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}
