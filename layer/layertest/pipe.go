package layertest

import (
	"context"
	"net"
	"sync"
)

// memoryHost is the name in the URL of a server in memory. Only the transport
// of [Server.HTTPClient] knows the way there.
const memoryHost = "layer.memory"

// memoryConn marks a connection that never left the process.
type memoryConn struct{ net.Conn }

// pipeListener is a listener in memory: dial gives one end of a pipe to the
// caller, the other to Accept.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

func newPipeListener() *pipeListener {
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.done) })
	return l
}

// Accept waits for a caller.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return memoryConn{c}, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and further calls of dial.
func (l *pipeListener) Close() error {
	l.close()
	return nil
}

// Addr returns a placeholder.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type pipeAddr struct{}

// Network returns "pipe".
func (pipeAddr) Network() string { return "pipe" }

// String returns "pipe".
func (pipeAddr) String() string { return "pipe" }
