//go:build faults && linux

package faults

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/layerq/layerq/tasks"
)

// The disk under Redis' append-only file is full for a while: Redis refuses to write. The producer
// is told, the workers wait, and go on when there is room.
func TestDisk_full_under_Redis(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	s := newSite(t, layerq, setup{dir: dir, latency: 50 * time.Millisecond})
	l := s.load(rowTasks())
	s.start(3)
	full := make(chan time.Time)
	go func() {
		<-time.After(span() / 3)
		filler := filepath.Join(dir, "filler")
		fill(t, filler)
		eventually(t, time.Minute, "Redis refuses to write", func() bool {
			err := s.redis.rdb.Set(t.Context(), "layerq:probe", "x", time.Second).Err()
			return err != nil && strings.HasPrefix(err.Error(), "MISCONF")
		})
		s.refusedClearly(l)
		<-time.After(5 * time.Second)
		if err := os.Remove(filler); err != nil {
			t.Error(err)
		}
		full <- time.Now()
	}()
	l.enqueue(span())
	b := s.close(l, <-full, allowed{turned: true})
	s.record("Redis: disk full under its file", b)
	s.within(b, recovery)
}

// refusedClearly enqueues what cannot be stored.
func (s *site) refusedClearly(l *load) {
	client, err := tasks.NewClient(s.redisURL())
	if err != nil {
		s.t.Error(err)
		return
	}
	defer client.Close()
	_, err = client.Enqueue(s.t.Context(), l.jobs[0].task, tasks.Key("while the disk is full"))
	if redisErr, ok := errors.AsType[*tasks.RedisError](err); !ok || !strings.Contains(redisErr.Error(), "disk") {
		s.t.Errorf("enqueueing while the disk is full: %v", err)
	}
}

// smallDisk mounts a file system of some megabytes.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("faults", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("no small disk can be had here: mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fill writes until there is no room left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}
