//go:build linux

package rig

import (
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// Fleet are the workers of a test. It is safe for concurrent use.
type Fleet struct {
	t       *testing.T
	program string
	env     []string // of every worker

	mu      sync.Mutex
	workers []*Process
	started int
}

// NewFleet returns a fleet without workers, each of which will be this program in this environment.
func NewFleet(t *testing.T, program string, env ...string) *Fleet {
	t.Helper()
	return &Fleet{t: t, program: program, env: env}
}

// Start starts n workers.
func (f *Fleet) Start(n int) {
	f.t.Helper()
	for range n {
		f.Worker()
	}
}

// Worker starts one more, with more environment.
func (f *Fleet) Worker(env ...string) *Process {
	f.t.Helper()
	return f.WorkerOf(f.program, env...)
}

// WorkerOf starts one of a program of its own.
func (f *Fleet) WorkerOf(program string, env ...string) *Process {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started++
	all := append(append([]string{}, f.env...), env...)
	p := Start(f.t, "worker-"+strconv.Itoa(f.started), program, all)
	f.workers = append(f.workers, p)
	return p
}

// Living are the workers that have not ended.
func (f *Fleet) Living() []*Process {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*Process
	for _, p := range f.workers {
		if !p.Ended() {
			list = append(list, p)
		}
	}
	return list
}

// Replace kills one of n living workers, which pick chooses, and starts another in its place.
func (f *Fleet) Replace(pick func(n int) int) {
	f.t.Helper()
	list := f.Living()
	if len(list) == 0 {
		f.t.Fatal("no worker is left to be replaced")
	}
	list[pick(len(list))].Kill()
	f.Worker()
}

// Stop asks all to end at once. Each must say that it left nothing behind, by its exit code.
func (f *Fleet) Stop() {
	f.t.Helper()
	list := f.Living()
	for _, p := range list {
		p.Signal(syscall.SIGTERM)
	}
	for _, p := range list {
		if code := p.Wait(ending); code != 0 {
			f.t.Errorf("%s ended with %d:\n%s", p.Name, code, p.Tail())
		}
	}
}
