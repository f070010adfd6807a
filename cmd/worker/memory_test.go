//go:build linux

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

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
