package layertest_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

// rawGet sends one request over conn and returns everything that comes back
// until the other side closes.
func rawGet(t *testing.T, conn net.Conn) string {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := io.WriteString(conn, "GET "+app+"/users/ana/blocks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox\r\nAccept: "+layerJSON+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("the connection was not closed: %v", err)
	}
	return string(got)
}

func TestDropCutsTCPConnections(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t, layertest.WithTCP())
	srv.Fault(layertest.Rule{DropConnection: true})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := rawGet(t, conn); got != "" {
		t.Errorf("got %q before the end, want nothing", got)
	}
}

func TestDropCutsConnectionsOfAForeignServer(t *testing.T) {
	t.Parallel()
	e := layertest.New(layertest.Config{})
	srv := httptest.NewServer(e)
	defer srv.Close()
	if err := e.SetFaults(layertest.Rule{DropConnection: true}); err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := rawGet(t, conn); got != "" {
		t.Errorf("got %q before the end, want nothing", got)
	}
}

// TestDropCutsHTTP2 sees the whole connection go, and not just the stream.
func TestDropCutsHTTP2(t *testing.T) {
	t.Parallel()
	e := layertest.New(layertest.Config{})
	srv := httptest.NewUnstartedServer(e)
	srv.Config.ConnContext = layertest.ConnContext
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	dials := 0
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		DialTLSContext:    nil,
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, VerifyConnection: func(tls.ConnectionState) error {
			dials++
			return nil
		}},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	post := func() (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+app+"/users/ana/blocks", strings.NewReader(`{"user_id":"boris"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer sandbox")
		req.Header.Set("Accept", layerJSON)
		resp, err := client.Do(req)
		if err == nil {
			defer resp.Body.Close()
		}
		return resp, err
	}
	if resp, err := post(); err != nil || resp.ProtoMajor != 2 || resp.StatusCode != 204 {
		t.Fatalf("got %v, %v, want 204 over HTTP/2", resp, err)
	}
	if err := e.SetFaults(layertest.Rule{DropConnection: true, Count: new(1)}); err != nil {
		t.Fatal(err)
	}
	if resp, err := post(); err == nil {
		t.Errorf("got %d, want a cut connection", resp.StatusCode)
	}
	if resp, err := post(); err != nil || resp.StatusCode != 204 {
		t.Errorf("after the cut: got %v, %v, want 204", resp, err)
	}
	if dials != 2 {
		t.Errorf("%d connections were made, want 2: the first one is cut", dials)
	}
}
