package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trusting returns a transport that trusts the CA in a file and nobody else.
func trusting(t *testing.T, file string) *http.Transport {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate", file)
	}
	if strings.Contains(string(text), "PRIVATE KEY") {
		t.Errorf("%s holds a key", file)
	}
	return &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
}

func TestSelfSigned(t *testing.T) {
	t.Parallel()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	addrs := start(t, 1, "--tls-self-signed", "--tls-ca-file", ca, "--tls-host", "chat.test")
	for _, host := range []string{"127.0.0.1", "localhost", "api.layer.com", "chat.test"} {
		transport := trusting(t, ca)
		transport.TLSClientConfig.ServerName = host
		client := newClient(t, transport)
		if status, body := get(t, client, "https://"+addrs["api"]+"/_emulator/stats"); status != 200 {
			t.Errorf("%s: got %d %s", host, status, body)
		}
	}
	resp, err := newClient(t, trusting(t, ca)).Get("https://" + addrs["api"] + "/_emulator/stats") //nolint:noctx // ends with the server
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("got %s, want HTTP/2", resp.Proto)
	}
}

func TestOldTLS(t *testing.T) {
	t.Parallel()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	addrs := start(t, 1, "--tls-self-signed", "--tls-ca-file", ca)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		transport := trusting(t, ca)
		transport.ForceAttemptHTTP2 = false // which is newer
		transport.TLSClientConfig.MinVersion, transport.TLSClientConfig.MaxVersion = version, version
		if status, body := get(t, newClient(t, transport), "https://"+addrs["api"]+"/_emulator/stats"); status != 200 {
			t.Errorf("%s: got %d %s", tls.VersionName(version), status, body)
		}
	}
}

func TestAuthorityIsKeptWithTheData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var before []byte
	for range 2 {
		s := settings{addr: "127.0.0.1:0", data: filepath.Join(dir, "data"), caFile: filepath.Join(dir, "ca.pem"), selfSigned: true}
		if _, err := s.tlsConfig(); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(s.caFile)
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && string(now) != string(before) {
			t.Error("a restart made another CA")
		}
		before = now
	}
}

func TestConnectProxy(t *testing.T) {
	t.Parallel()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	addrs := start(t, 3, "--tls-self-signed", "--tls-ca-file", ca, "--connect-proxy", "127.0.0.1:0")
	transport := trusting(t, ca)
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: addrs["proxy"]})
	client := newClient(t, transport)
	if status, body := get(t, client, "https://api.layer.com/_emulator/stats"); status != 200 {
		t.Errorf("through the proxy: got %d %s", status, body)
	}
	if resp, err := client.Get("https://example.com/"); err == nil { //nolint:noctx // refused at once
		_ = resp.Body.Close()
		t.Errorf("to another host: got %d, want a refusal", resp.StatusCode)
	}
	if status, _ := get(t, newClient(t, &http.Transport{}), "http://"+addrs["proxy"]+"/"); status != 405 {
		t.Errorf("without CONNECT: got %d, want 405", status)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addrs["proxy"])
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close() // a caller who leaves breaks nothing
}
