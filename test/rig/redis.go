//go:build linux

package rig

import (
	"context"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/testport"
)

// Redis is a redis-server with an append-only file, on a port that it keeps over restarts.
type Redis struct {
	Client *redis.Client // the test's own eyes, never through a proxy
	Proc   *Process      // another one after each restart
	Dir    string        // with its files

	t    *testing.T
	port int
	args []string
}

// StartRedis starts one with its files in dir. fsync is what appendfsync says.
func StartRedis(t *testing.T, dir, fsync string) *Redis {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("no redis-server on this machine: install it (Debian: apt-get install redis-server)")
	}
	r := &Redis{t: t, Dir: dir}
	for range 20 {
		r.port = testport.Take(t)
		r.args = []string{
			path, "--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
			"--appendonly", "yes", "--appendfsync", fsync, "--maxmemory-policy", "noeviction",
		}
		r.Client = redis.NewClient(&redis.Options{Addr: r.Addr(), MaxRetries: -1, ReadTimeout: 10 * time.Second})
		r.Proc = Start(t, "redis", r.args[0], nil, r.args[1:]...)
		if r.awake(10 * time.Second) {
			t.Cleanup(func() {
				if err := r.Client.Close(); err != nil {
					t.Error(err)
				}
			})
			return r
		}
		_ = r.Client.Close() // it never connected
	}
	t.Fatal("redis-server does not start")
	return nil
}

// Read is what Redis answers to a command; t ends if it does not answer.
func Read[T any](t *testing.T, command interface{ Result() (T, error) }) T {
	t.Helper()
	answer, err := command.Result()
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// Addr is where it listens.
func (r *Redis) Addr() string { return local(r.port) }

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// URL is its address for REDIS_URL.
func (r *Redis) URL() string { return "redis://" + r.Addr() }

// Restart is an orderly one: the file is complete.
func (r *Redis) Restart(down time.Duration) {
	r.t.Helper()
	if code := r.Proc.Stop(); code != 0 {
		r.t.Errorf("redis-server ended with %d", code)
	}
	<-time.After(down)
	r.again()
}

// Crash is kill -9 and a new start.
func (r *Redis) Crash(down time.Duration) {
	r.t.Helper()
	r.Proc.Kill()
	<-time.After(down)
	r.again()
}

// again starts Redis with the files that it has.
func (r *Redis) again() {
	r.t.Helper()
	r.Proc = Start(r.t, "redis", r.args[0], nil, r.args[1:]...)
	if !r.awake(time.Minute) {
		r.t.Fatalf("redis-server does not come back: %s", r.Proc.Tail())
	}
}

// awake waits until Redis has its data and answers.
func (r *Redis) awake(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline) && !r.Proc.Ended(); {
		if r.Client.Ping(context.WithoutCancel(r.t.Context())).Err() == nil {
			return true
		}
		<-time.After(look)
	}
	return false
}
