//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// What a worker uploads goes through it: it never has the whole of it, from a file
// or from the web.
func TestProcess_uploads_in_little_memory(t *testing.T) {
	t.Parallel()
	const size, most = 96 << 20, 32 << 20
	content := filepath.Join(t.TempDir(), "film")
	a := newAlbum(t, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, content) })
	paths := []string{content, filepath.Join(a.dir, "film")}
	for _, path := range paths {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size); err != nil { // takes no room on the disk
			t.Fatal(err)
		}
	}
	cmd, _ := a.process(t, a.allowed()...)
	a.wait(t, a.show(t, a.file(t, a.dir, "a.png", picture(300))), tasks.StateCompleted)
	before := peak(t, cmd.Process.Pid)
	for _, source := range []string{"file://" + paths[1], a.web.URL} {
		a.wait(t, a.show(t, source), tasks.StateCompleted)
		if grown := peak(t, cmd.Process.Pid) - before; grown > most {
			t.Errorf("%s: %d MiB took %d MiB of memory, want at most %d", source, size>>20, grown>>20, most>>20)
		} else {
			t.Logf("%s: %d KiB of memory", source, grown>>10)
		}
	}
}

// A film that is killed in the middle of its upload arrives whole by way of the
// next worker, and neither of the two ever had much of it.
func TestProcess_finishes_a_large_upload_after_a_kill(t *testing.T) {
	t.Parallel()
	const size, most = 200 << 20, 64 << 20
	content := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(content, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(content, size); err != nil { // takes no room on the disk
		t.Fatal(err)
	}
	var killed atomic.Bool
	half := make(chan struct{}, 1)
	a := newAlbum(t, func(w http.ResponseWriter, r *http.Request) {
		if killed.Load() {
			http.ServeFile(w, r, content)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(size))
		if _, err := io.CopyN(w, zeroes{}, size/2); err == nil { // the worker has taken nearly all of it
			half <- struct{}{}
			<-r.Context().Done()
		}
	})
	first, _ := a.process(t, a.allowed()...)
	a.wait(t, a.show(t, a.file(t, a.dir, "a.png", picture(300))), tasks.StateCompleted)
	before := peak(t, first.Process.Pid)
	info := a.show(t, a.web.URL)
	<-half
	if grown := peak(t, first.Process.Pid) - before; grown > most {
		t.Errorf("half of %d MiB took %d MiB of memory, want at most %d", size>>20, grown>>20, most>>20)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended(t, first)
	killed.Store(true)
	a.forgetLease(t, info)
	second, _ := a.process(t, a.allowed()...)
	a.wait(t, info, tasks.StateCompleted)
	if grown := peak(t, second.Process.Pid) - before; grown > most {
		t.Errorf("%d MiB took %d MiB of memory, want at most %d", size>>20, grown>>20, most>>20)
	} else {
		t.Logf("%d MiB after a kill: %d KiB of memory more than for a small picture", size>>20, grown>>10)
	}
	m, err := a.layer.Client(t).Messages.Get(t.Context(), a.conv, layer.MessageID(info.ID))
	if err != nil {
		t.Fatal(err)
	}
	body, err := a.layer.Client(t).Content.Download(t.Context(), a.conv, *m.Parts[1].Content)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, body)
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	if err != nil || n != size {
		t.Errorf("%d bytes arrived, %v; want %d", n, err, size)
	}
}

// zeroes is a film of darkness.
type zeroes struct{}

// Read never ends.
func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the most memory in bytes that a process ever had.
func peak(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	kib, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
