//go:build linux

package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// Emulator is the process that plays Layer, and what it has to say.
type Emulator struct {
	Addr string
	API  *layer.Client // the test's own, without a proxy

	t    *testing.T
	http *http.Client
}

var servesAt = regexp.MustCompile(`msg=serving what=api addr=(\S+)`)

// StartEmulator starts one on a port of its own.
func StartEmulator(t *testing.T, programs Programs, args ...string) *Emulator {
	t.Helper()
	p := Start(t, "layer-emulator", programs.Path("layer-emulator"), nil, append([]string{"--addr", "127.0.0.1:0"}, args...)...)
	e := &Emulator{t: t, http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}}
	Eventually(t, 20*time.Second, "the emulator serves", func() bool {
		found := servesAt.FindStringSubmatch(p.Output())
		if found != nil {
			e.Addr = found[1]
		}
		return found != nil
	})
	var err error
	app := layertest.DefaultApp()
	if e.API, err = layer.New(app.ID, app.Token, layer.WithBaseURL(e.url()), layer.WithTimeout(time.Minute)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.API.Close)
	return e
}

func (e *Emulator) url() string { return "http://" + e.Addr }

// Env is what a worker needs to reach the emulator at an address: its own, or that of a
// [Link].
func (e *Emulator) Env(addr string) []string {
	return []string{"LAYER_BASE_URL=http://" + addr, "LAYER_APP_ID=" + layertest.DefaultAppID, "LAYER_TOKEN=" + layertest.DefaultToken}
}

// Conversation makes one.
func (e *Emulator) Conversation(dedupe uuid.UUID) layer.ConversationID {
	e.t.Helper()
	made, err := e.API.Conversations.Create(e.t.Context(), dedupe, layer.CreateConversationRequest{Participants: []string{"alice", "bob"}})
	if err != nil {
		e.t.Fatalf("conversation: %v", err)
	}
	return made.ID
}

// Faults sets how the emulator misbehaves from now on; without rules it does not.
func (e *Emulator) Faults(rules ...layertest.Rule) {
	e.t.Helper()
	if rules == nil {
		rules = []layertest.Rule{}
	}
	e.control(http.MethodPut, "faults", map[string]any{"rules": rules})
}

// Limit sets what the emulator allows: "100/1s".
func (e *Emulator) Limit(rate string) {
	e.t.Helper()
	e.control(http.MethodPut, "limit", map[string]string{"limit": rate})
}

// Mark is the number of the last request until now.
func (e *Emulator) Mark() int64 {
	e.t.Helper()
	var s layertest.Stats
	if err := json.Unmarshal(e.control(http.MethodGet, "stats", nil), &s); err != nil {
		e.t.Fatal(err)
	}
	return int64(s.Requests)
}

// Requests returns those that arrived after the one with this number, in order of arrival.
func (e *Emulator) Requests(since int64) []layertest.Request {
	e.t.Helper()
	var list []layertest.Request
	for line := range bytes.Lines(e.control(http.MethodGet, fmt.Sprintf("requests?since=%d", since), nil)) {
		var r layertest.Request
		if err := json.Unmarshal(line, &r); err != nil {
			e.t.Fatal(err)
		}
		if want := since + int64(len(list)) + 1; r.N != want {
			e.t.Fatalf("the emulator tells of request %d after %d: it has forgotten some", r.N, want-1)
		}
		list = append(list, r)
	}
	return list
}

func (e *Emulator) control(method, path string, body any) []byte {
	e.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		e.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(e.t.Context()), method, e.url()+"/_emulator/"+path, bytes.NewReader(encoded))
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
	return answer
}
