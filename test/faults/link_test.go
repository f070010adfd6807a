//go:build faults && linux

package faults

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// ports keeps two rows from trying the same port.
var ports atomic.Int64

// link is a proxy between two processes, with faults on request.
type link struct {
	t     *testing.T
	mu    sync.Mutex
	proxy *toxiproxy.Proxy
}

// newLink returns a link that leads to upstream; it ends with t.
func newLink(t *testing.T, upstream string) *link {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &link{t: t}
	for range 20 {
		l.proxy = toxiproxy.NewProxy(server, t.Name(), addrOf(freePort(t)), upstream)
		if l.proxy.Start() == nil {
			t.Cleanup(l.proxy.Stop)
			return l
		}
	}
	t.Fatal("no port for a proxy")
	return nil
}

func (l *link) addr() string { return l.proxy.Listen }

// cut closes every connection; new ones are taken after a while.
func (l *link) cut(away time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proxy.Stop()
	<-time.After(away)
	for deadline := time.Now().Add(10 * time.Second); ; {
		err := l.proxy.Start()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			l.t.Errorf("the proxy does not come back: %v", err)
			return
		}
		<-time.After(20 * time.Millisecond)
	}
}

// toxic is what toxiproxy calls a fault.
type toxic struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Stream     string         `json:"stream"` // upstream: what is asked; downstream: what is answered
	Attributes map[string]int `json:"attributes"`
}

func (l *link) add(toxics ...toxic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range toxics {
		encoded, err := json.Marshal(x)
		if err == nil {
			_, err = l.proxy.Toxics.AddToxicJson(strings.NewReader(string(encoded)))
		}
		if err != nil {
			l.t.Errorf("toxic %s: %v", x.Name, err)
		}
	}
}

func (l *link) remove(toxics ...toxic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range toxics {
		if err := l.proxy.Toxics.RemoveToxic(context.WithoutCancel(l.t.Context()), x.Name); err != nil {
			l.t.Errorf("toxic %s: %v", x.Name, err)
		}
	}
}

// deafen swallows every answer for a while, and closes what it was to come on: what was
// asked has been done.
func (l *link) deafen(d time.Duration) {
	lost := toxic{"lost", "timeout", "downstream", map[string]int{"timeout": int(d.Milliseconds())}}
	l.add(lost)
	<-time.After(d)
	l.remove(lost)
}
