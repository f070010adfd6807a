//go:build faults && linux

package faults

import (
	"context"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisServer is a redis-server with an append-only file, on a port that it keeps
// over restarts.
type redisServer struct {
	t    *testing.T
	port int
	dir  string
	args []string
	proc *process
	rdb  *redis.Client // the test's own eyes, never through a proxy
}

// newRedis starts one. fsync is what appendfsync says.
func newRedis(t *testing.T, dir, fsync string, more ...string) *redisServer {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("no redis-server on this machine: install it (Debian: apt-get install redis-server)")
	}
	r := &redisServer{t: t, dir: dir}
	for range 20 {
		r.port = freePort(t)
		r.args = append([]string{
			path, "--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
			"--appendonly", "yes", "--appendfsync", fsync, "--maxmemory-policy", "noeviction",
		}, more...)
		r.rdb = redis.NewClient(&redis.Options{Addr: r.addr(), MaxRetries: -1, ReadTimeout: 10 * time.Second})
		r.proc = start(t, "redis", r.args[0], nil, r.args[1:]...)
		if r.awake(10 * time.Second) {
			t.Cleanup(func() {
				if err := r.rdb.Close(); err != nil {
					t.Error(err)
				}
			})
			return r
		}
		_ = r.rdb.Close() // it never connected
	}
	t.Fatal("redis-server does not start")
	return nil
}

// freePort finds one below those that the system gives to outgoing connections, so
// that it stays free while its server is restarted.
func freePort(t *testing.T) int {
	t.Helper()
	d := newDice(t)
	for range 200 {
		port := 20000 + (d.n(12000)+int(ports.Add(1)*37))%12000
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func (r *redisServer) addr() string { return addrOf(r.port) }

// awake waits until Redis has its data and answers.
func (r *redisServer) awake(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline) && !r.proc.ended(); {
		if r.rdb.Ping(context.WithoutCancel(r.t.Context())).Err() == nil {
			return true
		}
		<-time.After(20 * time.Millisecond)
	}
	return false
}

// again starts Redis with the files that it has.
func (r *redisServer) again() {
	r.t.Helper()
	r.proc = start(r.t, "redis", r.args[0], nil, r.args[1:]...)
	if !r.awake(time.Minute) {
		r.t.Fatalf("redis-server does not come back: %s", r.proc.tail())
	}
}

// restart is an orderly one: the file is complete.
func (r *redisServer) restart(down time.Duration) {
	r.t.Helper()
	if code := r.proc.stop(); code != 0 {
		r.t.Errorf("redis-server ended with %d", code)
	}
	<-time.After(down)
	r.again()
}

// crash is kill -9 and a new start.
func (r *redisServer) crash(down time.Duration) {
	r.t.Helper()
	r.proc.kill()
	<-time.After(down)
	r.again()
}
