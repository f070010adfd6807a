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
	"github.com/layerq/layerq/test/rig"
)

// The disk under Redis' append-only file is full for a while: Redis refuses to write. The producer
// is told, the workers wait, and go on when there is room.
func TestDisk_full_under_Redis(t *testing.T) {
	t.Parallel()
	row{name: "Redis: disk full under its file", compare: true, dir: smallDisk}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(3)
		over := rig.Meanwhile(s.t, func() {
			<-time.After(span() / 3)
			filler := filepath.Join(s.redis.Dir, "filler")
			fill(s.t, filler)
			rig.Eventually(s.t, time.Minute, "Redis refuses to write", func() bool {
				err := s.redis.Client.Set(s.t.Context(), "layerq:probe", "x", time.Second).Err()
				return err != nil && strings.HasPrefix(err.Error(), "MISCONF")
			})
			if s.engine == layerq {
				s.refusedClearly(l)
			}
			<-time.After(5 * time.Second)
			if err := os.Remove(filler); err != nil {
				s.t.Error(err)
			}
		})
		l.enqueue(span())
		s.finish(l, over(), allowed{}, recovery)
	})
}

// refusedClearly enqueues what cannot be stored.
func (s *site) refusedClearly(l *load) {
	client, err := tasks.NewClient(s.redis.URL())
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
