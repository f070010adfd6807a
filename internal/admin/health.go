package admin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// readyTimeout bounds what /readyz waits for: probes give up after a few
// seconds, and a Redis that does not answer is a reason of its own by then.
const readyTimeout = 2 * time.Second

// livez says that the process serves requests. It asks nothing else: Redis
// being away is no reason to be killed.
func (a *Admin) livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n") //nolint:errcheck // a caller that went away needs no answer
}

// readyz answers 200 if the worker takes tasks, and 503 with the reasons if it
// does not: {"ready":false,"reasons":["redis: ..."]}.
func (a *Admin) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	reasons := a.opts.Ready(ctx)
	w.Header().Set("Content-Type", "application/json")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(struct { //nolint:errcheck // a caller that went away needs no answer
		Ready   bool     `json:"ready"`
		Reasons []string `json:"reasons,omitempty"`
	}{len(reasons) == 0, reasons})
}
