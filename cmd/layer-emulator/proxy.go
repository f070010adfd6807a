package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// proxy takes CONNECT to api.layer.com and hands the connection to the
// emulator: for programs that know no other address, but read HTTPS_PROXY.
type proxy struct {
	inside *handover
	own    string // the emulator's own address may be asked for, too
}

// ServeHTTP answers CONNECT.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	switch {
	case r.Method != http.MethodConnect:
		w.Header().Set("Allow", http.MethodConnect)
		http.Error(w, "this proxy takes CONNECT alone", http.StatusMethodNotAllowed)
		return
	case err != nil || host != "api.layer.com" && r.Host != p.own:
		http.Error(w, "this proxy leads to api.layer.com alone", http.StatusForbidden)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = conn.SetDeadline(time.Time{}) // the emulator sets its own; it fails on closed connections, as the next line does
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = conn.Close() // the caller left
		return
	}
	p.inside.give(&early{conn, buffered.Reader})
}

// early is a connection of which something was read already.
type early struct {
	net.Conn
	read *bufio.Reader
}

// Read returns what came early, then what comes.
func (c *early) Read(b []byte) (int, error) { return c.read.Read(b) }

// handover is a listener whose connections come from within the process.
type handover struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
	addr  net.Addr
}

func newHandover(addr net.Addr) *handover {
	h := &handover{conns: make(chan net.Conn), done: make(chan struct{}), addr: addr}
	h.close = sync.OnceFunc(func() { close(h.done) })
	return h
}

func (h *handover) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		_ = c.Close() // nobody will serve it
	}
}

// Accept waits for a connection.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (h *handover) Close() error {
	h.close()
	return nil
}

// Addr is the address of the proxy.
func (h *handover) Addr() net.Addr { return h.addr }
