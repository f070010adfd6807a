package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // ended or not
		_ = cmd.Wait()
	})
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

// TestQueuedPatchSurvivesKill kills the process while a patch that it
// acknowledged waits. The next one applies it: at its time or, where patches do
// not wait, at once.
func TestQueuedPatchSurvivesKill(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ before, after []string }{
		"at its time": {[]string{"--queued-patches", "--patch-delay", "500ms"}, []string{"--queued-patches"}},
		"at once":     {[]string{"--queued-patches", "--patch-delay", "1h"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := startProcess(t, append([]string{"--data", dir}, tt.before...)...)
			patch := `[{"operation":"set","property":"blocks","value":["boris"]},{"operation":"set","property":"suspended","value":true}]`
			if status, body := overTCP(t, p.url)("PATCH", "/users/ana", patch, ""); status != 202 {
				t.Fatalf("got %d %s, want 202", status, body)
			}
			if err := p.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = p.Wait() // killed
			ask := overTCP(t, startProcess(t, append([]string{"--data", dir}, tt.after...)...).url)
			waitFor(t, func() (string, bool) {
				_, blocks := ask("GET", "/users/ana/blocks", "", "")
				_, user := ask("GET", "/users/ana", "", "")
				return blocks + user, blocks == `[{"user_id":"boris"}]` && strings.Contains(user, `"suspended":true`)
			})
		})
	}
}

// waitFor waits until a state is reached, and fails with what is instead.
func waitFor(t *testing.T, reached func() (state string, ok bool)) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		state, ok := reached()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("got %s", state)
		}
	}
}

// TestAcknowledgedSurvivesKill changes all sorts of things from several callers,
// kills the process in between, again and again, and then looks for every change
// that was acknowledged.
func TestAcknowledgedSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	callers := make([]*witness, 8)
	for i := range callers {
		callers[i] = &witness{user: fmt.Sprint("user", i), conversation: fmt.Sprintf("c%07d-0000-4000-8000-00000000000a", i)}
	}
	const rounds = 5
	for round := range rounds {
		p := startProcess(t, "--data", dir)
		var wg sync.WaitGroup
		var done atomic.Int64
		enough := make(chan struct{})
		closeEnough := sync.OnceFunc(func() { close(enough) })
		for _, c := range callers {
			c.ask = overTCP(t, p.url)
			wg.Go(func() {
				for c.step() {
					if done.Add(1) >= int64(20+17*round) { // another moment each time
						closeEnough()
					}
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
	total := 0
	for _, c := range callers {
		c.ask = inProcess(e)
		c.check(t)
		total += c.done
	}
	t.Logf("%d steps acknowledged in %d lives", total, rounds)
}
