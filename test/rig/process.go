//go:build linux

package rig

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// ending is how long a process may take to end when it was asked to.
const ending = time.Minute

// Process is a program under test, in a process of its own. It is safe for
// concurrent use.
type Process struct {
	Name string

	t    *testing.T
	cmd  *exec.Cmd
	log  string        // file with all that it wrote
	done chan struct{} // closed when it has ended
}

// Start runs a program until it ends by itself, is killed, or t ends. Of this process' environment
// it gets PATH and HOME alone.
func Start(t *testing.T, name, path string, env []string, args ...string) *Process {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), name+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(path, args...) //nolint:gosec // a program of the suite
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	cmd.Stdout, cmd.Stderr = out, out
	// Should the test die, so does the program; a Ctrl-C is for the test alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	p := &Process{Name: name, t: t, cmd: cmd, log: out.Name(), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s (pid %d) wrote last:\n%s", name, cmd.Process.Pid, p.Tail())
		}
	})
	return p
}

// Signal sends a signal; to a process that has ended, nothing.
func (p *Process) Signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("%s: signal %v: %v", p.Name, s, err)
	}
}

// Kill is kill -9, and waits for the end.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Freeze stops the process for a while, as it is.
func (p *Process) Freeze(d time.Duration) {
	p.Signal(syscall.SIGSTOP)
	<-time.After(d)
	p.Signal(syscall.SIGCONT)
}

// Stop asks the process to end, and returns its exit code.
func (p *Process) Stop() int {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	return p.Wait(ending)
}

// Wait returns the exit code of the process. If it has not ended within limit it is killed, and t fails.
func (p *Process) Wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		p.t.Errorf("%s has not ended after %v", p.Name, limit)
		p.Kill()
		return -1
	}
}

// Ended reports whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Killed reports whether the process ended by a SIGKILL.
func (p *Process) Killed() bool {
	if !p.Ended() {
		return false
	}
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// Stopped reports whether the process is stopped by a signal.
func (p *Process) Stopped() bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "stat"))
	if err != nil {
		return false // it has ended
	}
	_, fields, _ := bytes.Cut(stat, []byte(") "))
	return bytes.HasPrefix(fields, []byte("T"))
}

// Output is all that the process wrote until now.
func (p *Process) Output() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Tail is what the process wrote last.
func (p *Process) Tail() string {
	const most = 30
	lines := bytes.Split(bytes.TrimSpace([]byte(p.Output())), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-most):], []byte("\n")))
}
