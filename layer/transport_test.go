package layer

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

func TestTransportSpeaksHTTP2(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	response, err := (&http.Client{Transport: transport}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.Proto != "HTTP/2.0" {
		t.Errorf("%s, %v", response.Proto, err)
	}
}

// TestTransportKeepsConnections makes rounds of 64 requests at once: net/http's
// own would keep two connections of each round.
func TestTransportKeepsConnections(t *testing.T) {
	t.Parallel()
	const atOnce, rounds = 64, 5
	var (
		mu        sync.Mutex
		addresses = map[string]bool{}
		together  sync.WaitGroup
	)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		addresses[r.RemoteAddr] = true
		mu.Unlock()
		together.Done()
		together.Wait() // so that each needs a connection of its own
	}))
	t.Cleanup(server.Close)
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	for range rounds {
		together.Add(atOnce)
		var wg sync.WaitGroup
		for range atOnce {
			wg.Go(func() {
				response, err := client.Get(server.URL)
				if err != nil {
					t.Error(err)
					return
				}
				finish(response.Body)
			})
		}
		wg.Wait()
	}
	if len(addresses) > 2*atOnce {
		t.Errorf("%d connections for %d rounds of %d", len(addresses), rounds, atOnce)
	}
}
