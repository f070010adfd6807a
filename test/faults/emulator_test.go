//go:build faults && linux

package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// emulator is the process that plays Layer, and what it has to say.
type emulator struct {
	t    *testing.T
	addr string
	proc *process
	http *http.Client
	api  *layer.Client // the test's own, without a proxy
}

var servesAt = regexp.MustCompile(`msg=serving what=api addr=(\S+)`)

func newEmulator(t *testing.T, args ...string) *emulator {
	t.Helper()
	args = append([]string{"--addr", "127.0.0.1:0", "--seed", strconv.FormatUint(seed+1, 10)}, args...)
	e := &emulator{t: t, proc: start(t, "layer-emulator", filepath.Join(programs, "layer-emulator"), nil, args...)}
	eventually(t, 20*time.Second, "the emulator serves", func() bool {
		found := servesAt.FindStringSubmatch(e.proc.output())
		if found != nil {
			e.addr = found[1]
		}
		return found != nil
	})
	e.http = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	var err error
	app := layertest.DefaultApp()
	if e.api, err = layer.New(app.ID, app.Token, layer.WithBaseURL(e.url()), layer.WithTimeout(time.Minute)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.api.Close)
	return e
}

func (e *emulator) url() string { return "http://" + e.addr }

// faults sets how the emulator misbehaves from now on.
func (e *emulator) faults(rules ...layertest.Rule) {
	e.t.Helper()
	if rules == nil {
		rules = []layertest.Rule{}
	}
	e.control(http.MethodPut, "faults", map[string]any{"rules": rules}, nil)
}

func (e *emulator) control(method, path string, body, into any) {
	e.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		e.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(e.t.Context(), method, e.url()+"/_emulator/"+path, bytes.NewReader(encoded))
	if err != nil {
		e.t.Fatal(err)
	}
	resp, err := e.http.Do(req)
	if err != nil {
		e.t.Fatalf("emulator: %v", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		e.t.Fatalf("emulator: %s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(answer, into); err != nil {
		e.t.Fatal(err)
	}
}

func (e *emulator) stats() layertest.Stats {
	e.t.Helper()
	var s layertest.Stats
	e.control(http.MethodGet, "stats", nil, &s)
	return s
}

// mark is the number of the last request until now.
func (e *emulator) mark() int64 { return int64(e.stats().Requests) }

// requests returns those that arrived after number since.
func (e *emulator) requests(since int64) []layertest.Request {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, fmt.Sprintf("%s/_emulator/requests?since=%d", e.url(), since), http.NoBody)
	if err != nil {
		e.t.Fatal(err)
	}
	resp, err := e.http.Do(req)
	if err != nil {
		e.t.Fatalf("emulator: %v", err)
	}
	defer resp.Body.Close()
	var list []layertest.Request
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		var r layertest.Request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			e.t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}
