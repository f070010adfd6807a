package redistest

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Proxy stands between a client and the test's Redis and can take it away:
// what a test needs to see an outage without touching a shared server. The
// data survives the outage, as with an append-only file.
type Proxy struct {
	addr   string // where clients connect; the same before and after a cut
	target target

	mu       sync.Mutex
	listener net.Listener // nil while cut
	conns    map[net.Conn]struct{}
	thaw     chan struct{} // closed while bytes may flow
	running  sync.WaitGroup
}

// NewProxy returns a running proxy before the Redis that belongs to t. It ends with t.
func NewProxy(t testing.TB) *Proxy {
	t.Helper()
	p := &Proxy{target: targetOf(t), conns: make(map[net.Conn]struct{}), thaw: make(chan struct{})}
	close(p.thaw)
	if err := p.listen("127.0.0.1:0"); err != nil {
		t.Fatalf("redistest: proxy: %v", err)
	}
	p.addr = p.listener.Addr().String()
	t.Cleanup(p.close)
	return p
}

// URL returns the redis:// URL of the Redis behind the proxy.
func (p *Proxy) URL() string { return target{addr: p.addr, db: p.target.db}.url() }

// Client returns a client that goes through the proxy; it is closed when t ends.
func (p *Proxy) Client(t testing.TB) redis.UniversalClient {
	t.Helper()
	return newClient(t, p.addr, p.target.db)
}

// Drop closes every connection; new ones are taken at once.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

// Cut closes every connection and refuses new ones, as a stopped Redis does.
func (p *Proxy) Cut() {
	p.mu.Lock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.mu.Unlock()
	p.Drop()
}

// Restore ends [Proxy.Cut].
func (p *Proxy) Restore(t testing.TB) {
	t.Helper()
	// The port may be taken for a moment by an outgoing connection of another test.
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := p.listen(p.addr)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("redistest: restore proxy: %v", err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// Freeze holds back every byte until [Proxy.Thaw], as a Redis that hangs does:
// connections stay open and new ones are taken.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.thaw:
		p.thaw = make(chan struct{})
	default:
	}
}

// Thaw ends [Proxy.Freeze].
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.thaw:
	default:
		close(p.thaw)
	}
}

func (p *Proxy) close() {
	p.Cut()
	p.Thaw()
	p.running.Wait()
}

func (p *Proxy) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.listener = l
	p.mu.Unlock()
	p.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.serve(l, c) })
		}
	})
	return nil
}

// serve copies between one client and Redis until either side closes.
func (p *Proxy) serve(l net.Listener, client net.Conn) {
	redisSide, err := net.Dial("tcp", p.target.addr)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	cut := p.listener != l
	if !cut {
		p.conns[client], p.conns[redisSide] = struct{}{}, struct{}{}
	}
	p.mu.Unlock()
	end := func() { _ = errors.Join(client.Close(), redisSide.Close()) }
	defer func() {
		end()
		p.mu.Lock()
		delete(p.conns, client)
		delete(p.conns, redisSide)
		p.mu.Unlock()
	}()
	if cut {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(redisSide, client); end() })
	both.Go(func() { p.copy(client, redisSide); end() })
	both.Wait()
}

func (p *Proxy) copy(dst io.Writer, src io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			p.mu.Lock()
			thaw := p.thaw
			p.mu.Unlock()
			<-thaw
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
