// Package testlog is for tests that read what a program writes while it writes.
package testlog

import (
	"bytes"
	"sync"
)

// Buffer keeps what is written to it. It is safe for concurrent use; the zero value
// is empty.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends b.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
