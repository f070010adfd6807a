package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

// process is the program as a process of its own.
type process struct {
	*exec.Cmd
	url string
}

func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"--addr", "127.0.0.1:0", "--log-format", "json"}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p := &process{Cmd: cmd}
	for in := bufio.NewScanner(stderr); in.Scan(); {
		var v struct{ Msg, Addr string }
		if json.Unmarshal(in.Bytes(), &v) == nil && v.Msg == "serving" {
			p.url = "http://" + v.Addr
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return p
		}
	}
	t.Fatal("the program does not serve")
	return nil
}

func TestInterruptEndsWithSuccess(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("after an interrupt: %v, want exit code 0", err)
	}
}

// TestAcknowledgedSurvivesKill sends messages from several callers, kills the
// process in between, and looks for every one that was acknowledged.
func TestAcknowledgedSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const conversation = "c0000000-0000-4000-8000-00000000000a"
	var mu sync.Mutex
	var acknowledged []string
	for round := range 3 {
		p := startProcess(t, "--data", dir)
		client := newClient(t, &http.Transport{MaxIdleConnsPerHost: 8})
		call := func(path, body, id string) bool {
			req, err := http.NewRequestWithContext(t.Context(), "POST", p.url+"/apps/"+layertest.DefaultAppID+path, strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return false
			}
			req.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
			req.Header.Set("Accept", "application/vnd.layer+json; version=1.0")
			req.Header.Set("If-None-Match", id)
			resp, err := client.Do(req)
			if err != nil {
				return false
			}
			defer resp.Body.Close()
			return resp.StatusCode == 201
		}
		if !call("/conversations", `{"participants":["ana"]}`, conversation) {
			t.Fatal("no conversation")
		}
		var wg sync.WaitGroup
		enough := make(chan struct{})
		closeEnough := sync.OnceFunc(func() { close(enough) })
		for caller := range 8 {
			wg.Go(func() {
				for n := 0; ; n++ {
					id := fmt.Sprintf("d%07d-%04d-4000-8000-%012d", round, caller, n)
					if !call("/conversations/"+conversation+"/messages", `{"sender":{"user_id":"ana"},"parts":[{"mime_type":"text/plain","body":"x"}]}`, id) {
						return
					}
					mu.Lock()
					if acknowledged = append(acknowledged, id); len(acknowledged) >= 200*(round+1) {
						closeEnough()
					}
					mu.Unlock()
				}
			})
		}
		<-enough
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		_ = p.Wait() // killed
	}
	e, err := layertest.Open(dir, layertest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	lost := 0
	for _, id := range acknowledged {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "/apps/"+layertest.DefaultAppID+"/conversations/"+conversation+"/messages/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
		req.Header.Set("Accept", "application/vnd.layer+json; version=1.0")
		w := &statusOnly{header: http.Header{}}
		if e.ServeHTTP(w, req); w.status != 200 {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged messages are lost", lost, len(acknowledged))
	}
}

type statusOnly struct {
	header http.Header
	status int
}

func (w *statusOnly) Header() http.Header         { return w.header }
func (w *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
func (w *statusOnly) WriteHeader(status int)      { w.status = status }
