package layertest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// controls routes what is under /_emulator/. What a browser sends on behalf of
// another site is refused.
func (e *Emulator) controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_emulator/stats", func(w http.ResponseWriter, _ *http.Request) { reply(w, e.Stats()) })
	mux.HandleFunc("GET /_emulator/requests", e.controlRequests)
	mux.HandleFunc("GET /_emulator/faults", func(w http.ResponseWriter, _ *http.Request) { e.replyFaults(w) })
	mux.HandleFunc("PUT /_emulator/faults", e.controlFaults)
	mux.HandleFunc("GET /_emulator/limit", func(w http.ResponseWriter, _ *http.Request) { e.replyLimit(w) })
	mux.HandleFunc("PUT /_emulator/limit", e.controlLimit)
	mux.HandleFunc("POST /_emulator/reset", func(w http.ResponseWriter, _ *http.Request) { e.controlReset(w) })
	e.addPages(mux)
	return http.NewCrossOriginProtection().Handler(mux)
}

// Control serves /_emulator/ to whoever can reach it: for a listener of its
// own, on an address chosen for that.
func (e *Emulator) Control() http.Handler { return e.control }

// serveControl lets loopback callers alone use the controls, since they need
// no token, and no browser that was led here by a name that somebody made point
// at this machine.
func (e *Emulator) serveControl(w http.ResponseWriter, r *http.Request) {
	if !e.config.RemoteControl {
		if !fromLoopback(r) {
			http.Error(w, "the controls answer loopback callers alone; see --control-addr", http.StatusForbidden)
			return
		}
		if !localName(r.Host) {
			http.Error(w, fmt.Sprintf("the controls do not answer to the name %q; use 127.0.0.1 or localhost", r.Host), http.StatusForbidden)
			return
		}
	}
	e.control.ServeHTTP(w, r)
}

func fromLoopback(r *http.Request) bool {
	if _, ok := r.Context().Value(connKey{}).(memoryConn); ok {
		return true
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// localName says whether a Host header is one that no stranger's name server
// can make up. The live service's own name is, by a hosts entry.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "api.layer.com" || host == memoryHost
}

// controlRequests answers with one line of JSON per request that arrived after
// number since, up to limit of them.
func (e *Emulator) controlRequests(w http.ResponseWriter, r *http.Request) {
	since, limit := int64(0), int64(e.config.LogSize)
	for name, value := range map[string]*int64{"since": &since, "limit": &limit} {
		s := r.URL.Query().Get(name)
		if s == "" {
			continue
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			refuse(w, fmt.Errorf("%s: %q is not a whole number from 0", name, s))
			return
		}
		*value = n
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	const batch = 1000 // the log is locked for this many at once
	for limit > 0 {
		list := e.Requests(since, int(min(batch, limit)))
		if len(list) == 0 {
			return
		}
		var lines []byte
		for _, req := range list {
			lines = append(append(lines, marshal(req)...), '\n')
		}
		if _, err := w.Write(lines); err != nil {
			return // the reader left
		}
		since, limit = list[len(list)-1].N, limit-int64(len(list))
	}
}

func (e *Emulator) controlFaults(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		refuse(w, err)
		return
	}
	rules, err := ParseRules(body)
	if err == nil {
		err = e.SetFaults(rules...)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	e.replyFaults(w)
}

func (e *Emulator) controlLimit(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Limit *string `json:"limit"`
	}
	err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, 1<<20), &body, json.RejectUnknownMembers(true))
	switch {
	case err != nil:
		refuse(w, wrongJSON(err))
		return
	case body.Limit == nil:
		refuse(w, errors.New(`limit: is missing; want {"limit":"100/1s"} or {"limit":"off"}`))
		return
	}
	rate, err := ParseRate(*body.Limit)
	if err != nil {
		refuse(w, fmt.Errorf("limit: %w", err))
		return
	}
	e.SetRate(rate)
	e.replyLimit(w)
}

func (e *Emulator) controlReset(w http.ResponseWriter) {
	if err := e.Reset(); err != nil {
		answerError(w, http.StatusInternalServerError, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (e *Emulator) replyFaults(w http.ResponseWriter) {
	reply(w, map[string][]Rule{"rules": e.Faults()})
}

func (e *Emulator) replyLimit(w http.ResponseWriter) {
	reply(w, map[string]string{"limit": e.log.rate().String()})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(marshal(v), '\n')) // a caller who left cannot be told
}

func refuse(w http.ResponseWriter, err error) { answerError(w, http.StatusBadRequest, err) }

func answerError(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(marshal(map[string]string{"error": err.Error()}), '\n')) // as in reply
}
