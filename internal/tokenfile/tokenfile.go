// Package tokenfile follows a token that is kept in a file, so that a worker
// whose token is replaced need not be restarted.
package tokenfile

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// interval is how often the file is read: it is small, and watching it for events would miss
// what happens over network file systems and below the symbolic links that Kubernetes swaps.
const interval = time.Second

// Options of a [Token].
type Options struct {
	// Read returns what the file holds now, or why it holds no token.
	Read func() (string, error)
	// Changed is called after each change, from one goroutine.
	Changed func()
	// Log gets one line for each change and each new problem, never the token.
	Log *slog.Logger
}

// A Token is what a file holds, or held last. It is safe for concurrent use.
type Token struct {
	opts    Options
	current atomic.Pointer[string]
	close   sync.Once
	done    chan struct{}
	running sync.WaitGroup
}

// Follow begins with a token that was read before, and reads the file once a second. While it
// cannot be read, or holds no token, the last one is kept: a file may be away for a moment while it is replaced.
// Close must be called.
func Follow(first string, opts Options) *Token {
	t := &Token{opts: opts, done: make(chan struct{})}
	t.current.Store(&first)
	t.running.Go(t.run)
	return t
}

// Current returns the token.
func (t *Token) Current() string { return *t.current.Load() }

// Close stops following. Repeatable.
func (t *Token) Close() {
	t.close.Do(func() { close(t.done) })
	t.running.Wait()
}

func (t *Token) run() {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	problem := ""
	for {
		select {
		case <-ticker.C:
			problem = t.look(problem)
		case <-t.done:
			return
		}
	}
}

// look reads the file, and returns what is wrong with it.
func (t *Token) look(before string) (problem string) {
	token, err := t.opts.Read()
	if err != nil {
		if err.Error() != before {
			t.opts.Log.Warn("the file of the token cannot be used, the last token is kept", "error", err)
		}
		return err.Error()
	}
	if token != t.Current() {
		t.current.Store(&token)
		t.opts.Log.Info("the token has changed")
		t.opts.Changed()
	}
	return ""
}
