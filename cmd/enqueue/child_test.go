package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/console"
)

// childVariable makes the test binary be the command.
const childVariable = "ENQUEUE_TEST_CHILD"

// child is the command as a process.
type child struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

func newChild(t *testing.T, env string, args ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.CommandContext(t.Context(), self, args...)}
	c.Env = []string{childVariable + "=1", env, "TMPDIR=" + t.TempDir()}
	c.Stdout, c.Stderr = &c.stdout, &c.stderr
	return c
}

// code waits for the end of the process.
func (c *child) code(t *testing.T) int {
	t.Helper()
	if err := c.Wait(); c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode()
}

func TestASignalEndsBulkWithItsSummary(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	p := newChild(t, c.env[0], "bulk", "--json")
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	// The stream has one line, and does not end.
	if _, err := io.WriteString(in, `{"type":"user:block","args":{"owner":"a","user":"b"}}`+"\n"); err != nil {
		t.Fatal(err)
	}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(time.Minute); c.keys() == 0; <-poll.C {
		if time.Now().After(deadline) {
			t.Fatal("the line was not enqueued")
		}
	}
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.code(t); code != console.Failed {
		t.Errorf("exit %d", code)
	}
	const want = "enqueue: interrupted; 1 tasks are in; running the same again is safe: they are recognised for 24h after they are done\n"
	if p.stderr.String() != want || !strings.HasPrefix(p.stdout.String(), `{"read":1,"enqueued":1,"duplicate":0,"invalid":0,"failed":0,"seconds":`) {
		t.Errorf("stdout %q, stderr %q", p.stdout.String(), p.stderr.String())
	}
}

// A million lines without a key are the worst case: each must be remembered.
func TestBulkNeedsLittleMemory(t *testing.T) {
	t.Parallel()
	lines, most := 1_000_000, int64(100<<20)
	if raceEnabled {
		lines, most = 10_000, 1<<40 // the race detector takes memory of its own
	}
	p := newChild(t, "REDIS_URL=redis://"+yes(t), "bulk", "--json")
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	stream := bufio.NewWriter(in)
	for i := range lines {
		fmt.Fprintf(stream, `{"type":"user:block","args":{"owner":"alice","user":"user%d"}}`+"\n", i)
	}
	if err := errors.Join(stream.Flush(), in.Close()); err != nil {
		t.Fatal(err)
	}
	if code := p.code(t); code != console.Done || !strings.HasPrefix(p.stdout.String(), fmt.Sprintf(`{"read":%d,"enqueued":%d,`, lines, lines)) {
		t.Errorf("exit %d, stdout %q, stderr %q", code, p.stdout.String(), p.stderr.String())
	}
	usage, ok := p.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("the system does not tell what a process used")
	}
	const unit = 1024 // of Maxrss on Linux
	if used := usage.Maxrss * unit; used > most {
		t.Errorf("%d lines took %d bytes, want at most %d", lines, used, most)
	}
}
