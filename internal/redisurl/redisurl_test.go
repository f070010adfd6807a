package redisurl_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/internal/redisurl"
)

func TestWhatAURLSays(t *testing.T) {
	t.Parallel()
	type want struct {
		Addrs                      []string
		User, Password             string
		DB                         int
		Master                     string
		Cluster, TLS               bool
		SentinelUser, SentinelPass string
		Addr                       string
	}
	for _, tc := range []struct {
		url  string
		want want
	}{
		{"redis://", want{Addrs: []string{"localhost:6379"}, Addr: "localhost:6379"}},
		{"redis://h", want{Addrs: []string{"h:6379"}, Addr: "h:6379"}},
		{"REDIS://h:7000/", want{Addrs: []string{"h:7000"}, Addr: "h:7000"}},
		{"redis://h:7000/3", want{Addrs: []string{"h:7000"}, DB: 3, Addr: "h:7000"}},
		{"redis://h/3?db=4", want{Addrs: []string{"h:6379"}, DB: 4, Addr: "h:6379"}},
		{"redis://:7000", want{Addrs: []string{"localhost:7000"}, Addr: "localhost:7000"}},
		{"redis://[::1]", want{Addrs: []string{"[::1]:6379"}, Addr: "[::1]:6379"}},
		{"redis://[fe80::1]:7000", want{Addrs: []string{"[fe80::1]:7000"}, Addr: "[fe80::1]:7000"}},
		{"redis://u:p@h", want{Addrs: []string{"h:6379"}, User: "u", Password: "p", Addr: "h:6379"}},
		{"redis://:p@h", want{Addrs: []string{"h:6379"}, Password: "p", Addr: "h:6379"}},
		{"redis://u:p%2F%40%3A%23@h", want{Addrs: []string{"h:6379"}, User: "u", Password: "p/@:#", Addr: "h:6379"}},
		{"redis://u:p@q@h", want{Addrs: []string{"h:6379"}, User: "u", Password: "p@q", Addr: "h:6379"}},
		{"redis://u:p:q+@h", want{Addrs: []string{"h:6379"}, User: "u", Password: "p:q+", Addr: "h:6379"}},
		{"rediss://h", want{Addrs: []string{"h:6379"}, TLS: true, Addr: "h:6379"}},
		{"redis://h?tls=true", want{Addrs: []string{"h:6379"}, TLS: true, Addr: "h:6379"}},
		{"unix:///run/redis.sock", want{Addrs: []string{"/run/redis.sock"}, Addr: "unix:/run/redis.sock"}},
		{"unix://u:p@/run/r.sock?db=2", want{
			Addrs: []string{"/run/r.sock"}, User: "u", Password: "p", DB: 2, Addr: "unix:/run/r.sock",
		}},
		{"redis-sentinel://a,b:7000/mine", want{
			Addrs: []string{"a:26379", "b:7000"}, Master: "mine", Addr: "master mine of the sentinels a:26379,b:7000",
		}},
		{"rediss-sentinel://u:p@a/mine?db=2&sentinel_username=su&sentinel_password=sp", want{
			Addrs: []string{"a:26379"}, User: "u", Password: "p", DB: 2, Master: "mine", TLS: true,
			SentinelUser: "su", SentinelPass: "sp", Addr: "master mine of the sentinels a:26379",
		}},
		{"redis-cluster://u:p@a,b:7000", want{
			Addrs: []string{"a:6379", "b:7000"}, User: "u", Password: "p", Cluster: true, Addr: "cluster a:6379,b:7000",
		}},
		{"redis-cluster://a/0?tls=1", want{Addrs: []string{"a:6379"}, Cluster: true, TLS: true, Addr: "cluster a:6379"}},
	} {
		t.Run(tc.url, func(t *testing.T) {
			t.Parallel()
			o, err := redisurl.Parse(tc.url)
			if err != nil {
				t.Fatal(err)
			}
			got := want{
				o.Addrs, o.Username, o.Password, o.DB, o.MasterName, o.IsClusterMode, o.TLSConfig != nil,
				o.SentinelUsername, o.SentinelPassword, redisurl.Addr(tc.url),
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			rdb, err := redisurl.Open(tc.url)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rdb.Close() }()
			if _, cluster := rdb.(*redis.ClusterClient); cluster != tc.want.Cluster {
				t.Errorf("client is a %T", rdb)
			}
		})
	}
}

func TestWrongURLs(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	dir := t.TempDir()
	notPEM := filepath.Join(dir, "not.pem")
	if err := os.WriteFile(notPEM, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ url, want string }{
		{"", "scheme"},
		{"localhost:6379", "scheme: there is none"},
		{secret + "@localhost:6379", "scheme: there is none"},
		{"http://h", "scheme: it is unknown"},
		{secret + "://h", "scheme: it is unknown"},
		{"redis://h#" + secret, "fragment"},
		{"redis://:" + secret + "/x@h", "port"},
		{"redis://" + secret + "/x@h", "path: it has an @"},
		{"redis://:" + secret + "?x@h", "port"},
		{"redis://:" + secret, "port"},
		{"redis://u:%zz" + secret + "@h", "password: bad percent-encoding"},
		{"redis://%zz" + secret + "@h", "user: bad percent-encoding"},
		{"redis://h:0", "port: want a number from 1 to 65535"},
		{"redis://h:65536", "port"},
		{"redis://h:1:2", "port"},
		{"redis://a b", "host"},
		{"redis://a,b", "several need redis-sentinel:// or redis-cluster://"},
		{"redis://[::1", "host"},
		{"redis://[::1]x", "port"},
		{"redis://[" + secret + "]", "brackets"},
		{"redis://h/" + secret, "path: the database must be a number"},
		{"redis://h/-1", "path: the database"},
		{"redis://h/1/2", "path: the database"},
		{"redis://h?db=x", "option db: the database must be a number"},
		{"redis-sentinel://h", "name of the master"},
		{"redis-sentinel://h/a/b", "name of the master"},
		{"redis-sentinel://a,,b/m", "host: one is empty"},
		{"redis-cluster://", "host: one is empty"},
		{"redis-cluster://h/1", "path: a Redis Cluster has no database"},
		{"redis-cluster://h?db=1", "option db: a Redis Cluster has no database"},
		{"unix://host/path", "host: a unix URL has none"},
		{"unix://", "path: want that of a socket"},
		{"unix:///p?tls=true", "option tls: a socket has no TLS"},
		{"redis://h?nonsense=1", "option nonsense: it is unknown"},
		{"redis://h?" + secret + "@x", "options: one is unknown"},
		{"redis://h?a=%zz", "options: bad percent-encoding"},
		{"redis://h?pool_size=many", "option pool_size: want a number"},
		{"redis://h?read_timeout=soon", "option read_timeout: want a duration"},
		{"redis://h?pool_fifo=maybe", "option pool_fifo: want true or false"},
		{"redis://h?sentinel_password=" + secret, "option sentinel_password: it is not for this kind"},
		{"redis://h?max_redirects=1", "option max_redirects: it is not for this kind"},
		{"redis://h?tls_ca_file=" + notPEM, "option tls_ca_file: TLS is off"},
		{"redis://h?skip_verify=true", "option skip_verify: TLS is off"},
		{"rediss://h?tls=false", "option tls: the scheme says otherwise"},
		{"rediss://h?tls_skip_verify=x", "option tls_skip_verify: want true or false"},
		{"rediss://h?tls_ca_file=" + dir + "/none.pem", dir + "/none.pem: no such file"},
		{"rediss://h?tls_ca_file=" + notPEM, "option tls_ca_file: the file holds no PEM certificate"},
		{"rediss://h?tls_cert_file=" + notPEM, "option tls_cert_file: it needs tls_key_file"},
		{"rediss://h?tls_key_file=" + notPEM, "option tls_key_file: it needs tls_cert_file"},
		{"rediss://h?tls_key_file=" + notPEM + "&tls_cert_file=" + notPEM, "option tls_cert_file"},
	} {
		t.Run(tc.url, func(t *testing.T) {
			t.Parallel()
			_, err := redisurl.Open(tc.url)
			if err == nil {
				t.Fatal("taken")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q, want one that says %q", err, tc.want)
			}
			if text := err.Error() + redisurl.Addr(tc.url); strings.Contains(text, secret) {
				t.Errorf("%q gives the secret away", text)
			}
		})
	}
}

// What go-redis' own ParseURL takes means the same here.
func TestOptionsOfGoRedis(t *testing.T) {
	t.Parallel()
	ints := []string{
		"protocol=2", "max_retries=7", "max_retries=-1", "pool_size=7", "min_idle_conns=7", "max_idle_conns=7", "max_active_conns=7",
		"max_concurrent_dials=7", "pipeline_pool_size=-1", "pipeline_read_buffer_size=7", "pipeline_write_buffer_size=7",
	}
	durations := []string{
		"min_retry_backoff", "max_retry_backoff", "dial_timeout", "read_timeout", "write_timeout", "pool_timeout",
		"conn_max_idle_time", "idle_timeout", "conn_max_lifetime", "max_conn_age",
	}
	queries := append(ints, "pool_fifo=true", "pool_fifo=0", "client_name=me", "db=5", "protocol=", "read_timeout=",
		"conn_max_lifetime=1m&conn_max_lifetime_jitter=10s", "conn_max_lifetime=1s&conn_max_lifetime_jitter=10s", "pool_size=3&pool_size=4")
	for _, d := range durations {
		queries = append(queries, d+"=1500ms", d+"=7", d+"=0", d+"=-1")
	}
	for _, q := range queries {
		t.Run(q, func(t *testing.T) {
			t.Parallel()
			want, err := redis.ParseURL("redis://u:p@h:7000/2?" + q)
			if err != nil {
				t.Fatal(err)
			}
			o, err := redisurl.Parse("redis://u:p@h:7000/2?" + q)
			if err != nil {
				t.Fatal(err)
			}
			ignore := cmpopts.IgnoreFields(redis.Options{}, "Network", "ContextTimeoutEnabled", "DialerRetries", "MaintNotificationsConfig")
			if diff := cmp.Diff(want, o.Simple(), ignore, cmpopts.IgnoreUnexported(redis.Options{})); diff != "" {
				t.Errorf("(-go-redis +ours):\n%s", diff)
			}
		})
	}
}

func TestTheURLHasTheLastWord(t *testing.T) {
	t.Parallel()
	tune := func(o *redis.UniversalOptions) { o.PoolSize, o.ReadTimeout = 50, time.Minute }
	o, err := redisurl.Parse("redis://h?pool_size=7", tune)
	if err != nil {
		t.Fatal(err)
	}
	if o.PoolSize != 7 || o.ReadTimeout != time.Minute {
		t.Errorf("pool size %d, read timeout %s; want 7 of the URL and 1m of the caller", o.PoolSize, o.ReadTimeout)
	}
}

// certificate writes a self-signed certificate for localhost and returns its files.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, DNSNames: []string{"redis.internal"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestTLSToAServer(t *testing.T) {
	t.Parallel()
	certFile, keyFile := certificate(t)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	ca, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	clients.AppendCertsFromPEM(ca)
	m := miniredis.NewMiniRedis()
	m.RequireUserAuth("u", "p")
	err = m.StartAddrTLS("127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	client := "tls_cert_file=" + certFile + "&tls_key_file=" + keyFile
	for _, tc := range []struct {
		name, query string
		ok          bool
	}{
		{"with its authority and name", client + "&tls_ca_file=" + certFile + "&tls_server_name=redis.internal", true},
		{"unverified", client + "&tls_skip_verify=true", true},
		{"with another name", client + "&tls_ca_file=" + certFile, false},
		{"with the system's authorities", client + "&tls_server_name=redis.internal", false},
		{"without a certificate", "tls_skip_verify=true", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			rdb, err := redisurl.Open("rediss://u:p@" + m.Addr() + "?max_retries=-1&" + tc.query)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rdb.Close() }()
			if err := rdb.Ping(t.Context()).Err(); (err == nil) != tc.ok {
				t.Errorf("PING: %v", err)
			}
		})
	}
}

func TestSocket(t *testing.T) {
	t.Parallel()
	opts, err := redis.ParseURL(redistest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "redis.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", opts.Addr)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(s, c); _ = s.Close() }()
			go func() { _, _ = io.Copy(c, s); _ = c.Close() }()
		}
	}()
	rdb, err := redisurl.Open("unix://" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rdb.Close() }()
	if err := rdb.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestARedisThatIsNotThereIsFoundOutSoon(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t)
	p.Cut()
	rdb, err := redisurl.Open(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rdb.Close() }()
	start := time.Now()
	if err := rdb.Ping(t.Context()).Err(); err == nil {
		t.Error("PING was answered")
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}

func FuzzOpen(f *testing.F) {
	for _, s := range []string{
		"redis://u:SECRET@h:1/2?read_timeout=1s", "redis-sentinel://SECRET@a,b/m?sentinel_password=SECRET", "unix://:SECRET@/s?db=1",
		"redis-cluster://:SECRET@a,[::1]:7/0", "rediss://:SECRET@h?tls_skip_verify=1&tls_server_name=x", "redis://:SECRET/@h", "redis://%SECRET@h",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, url string) {
		opts, err := redisurl.Parse(url)
		addr := redisurl.Addr(url)
		if err != nil {
			if _, _, found := strings.Cut(url, "SECRET@"); found && strings.Contains(err.Error()+addr, "SECRET") {
				t.Errorf("%q: error %q, address %q give the password away", url, err, addr)
			}
			return
		}
		if len(opts.Addrs) == 0 || addr == "" {
			t.Errorf("%q: no address", url)
		}
		if opts.Password == "SECRET" && strings.Contains(addr, "SECRET") && !strings.Contains(strings.Join(opts.Addrs, ""), "SECRET") {
			t.Errorf("%q: address %q gives the password away", url, addr)
		}
	})
}
