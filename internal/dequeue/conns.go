package dequeue

import (
	"context"
	"net"
	"sync"
)

// conns are the open connections of a client. Closing a go-redis client leaves
// those alone that are still being set up: with a Redis that hangs, their handshake lasts as long as the
// read timeout.
type conns struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
	shut bool
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// watch returns a dialer whose connections close ends.
func (c *conns) watch(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		inner, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		conn := &watched{inner, c}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.shut {
			_ = inner.Close()
			return nil, net.ErrClosed
		}
		if c.open == nil {
			c.open = make(map[net.Conn]struct{})
		}
		c.open[conn] = struct{}{}
		return conn, nil
	}
}

// close ends every connection; dialing fails from now on.
func (c *conns) close() {
	c.mu.Lock()
	open := c.open
	c.open, c.shut = nil, true
	c.mu.Unlock()
	for conn := range open {
		_ = conn.Close()
	}
}

// watched is a connection that its conns know.
type watched struct {
	net.Conn
	of *conns
}

// Close implements [net.Conn].
func (w *watched) Close() error {
	w.of.mu.Lock()
	delete(w.of.open, w)
	w.of.mu.Unlock()
	return w.Conn.Close()
}
