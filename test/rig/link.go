//go:build linux

package rig

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/layerq/layerq/internal/testport"
)

// Link is a proxy between two processes, with faults on request. It is safe for concurrent use.
type Link struct {
	t     *testing.T
	mu    sync.Mutex
	proxy *toxiproxy.Proxy
}

// NewLink returns a link that leads to upstream; it ends with t.
func NewLink(t *testing.T, upstream string) *Link {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &Link{t: t}
	for range 20 {
		l.proxy = toxiproxy.NewProxy(server, t.Name(), local(testport.Take(t)), upstream)
		if l.proxy.Start() == nil {
			t.Cleanup(l.proxy.Stop)
			return l
		}
	}
	t.Fatal("no port for a proxy")
	return nil
}

// Addr is where it listens.
func (l *Link) Addr() string { return l.proxy.Listen }

// Cut closes every connection; new ones are taken after a while.
func (l *Link) Cut(away time.Duration) {
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
		<-time.After(look)
	}
}

// Toxic is what toxiproxy calls a fault.
type Toxic struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Stream     string         `json:"stream"` // upstream: what is asked; downstream: what is answered
	Attributes map[string]int `json:"attributes"`
}

// Latency makes what is asked and answered take from low to high together, each half of it.
func Latency(low, high time.Duration) []Toxic {
	attributes := map[string]int{"latency": int((low + high).Milliseconds() / 4), "jitter": int((high - low).Milliseconds() / 4)}
	return []Toxic{
		{Name: "asked", Type: "latency", Stream: "upstream", Attributes: attributes},
		{Name: "answered", Type: "latency", Stream: "downstream", Attributes: attributes},
	}
}

// Add makes faults last.
func (l *Link) Add(toxics ...Toxic) {
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

// Remove ends them.
func (l *Link) Remove(toxics ...Toxic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range toxics {
		if err := l.proxy.Toxics.RemoveToxic(context.WithoutCancel(l.t.Context()), x.Name); err != nil {
			l.t.Errorf("toxic %s: %v", x.Name, err)
		}
	}
}

// Deafen swallows every answer for a while, and closes what it was to come on: what was
// asked has been done.
func (l *Link) Deafen(d time.Duration) {
	lost := Toxic{"lost", "timeout", "downstream", map[string]int{"timeout": int(d.Milliseconds())}}
	l.Add(lost)
	<-time.After(d)
	l.Remove(lost)
}
