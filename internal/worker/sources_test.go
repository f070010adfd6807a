package worker

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

func (r *rig) show(source string) tasks.Task {
	return tasks.SendMessage{
		Conversation: r.conv, Sender: layer.FromUser("alice"),
		Parts: []tasks.Part{{MIMEType: "image/png", Source: source}},
	}
}

func newSources(t *testing.T, s tasks.Sources) *tasks.Sources {
	t.Helper()
	made, err := tasks.NewSources(s)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The time for one execution is for calls; an upload has its own.
func TestWorker_lets_uploads_take_their_time(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 4<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	r.layer.Fault(layertest.Rule{Match: layertest.Match{Method: "PUT"}, Latency: layertest.Duration(2 * time.Second)})
	r.worker(t, func(o *Options) {
		o.Timeout = time.Second
		o.Sources = newSources(t, tasks.Sources{Dirs: []string{filepath.Dir(path)}})
	})
	info := r.wantState(t, r.enqueue(t, r.show("file://"+path)), tasks.StateCompleted)
	if info.Attempts != 1 {
		t.Errorf("%d attempts", info.Attempts)
	}
}

// Layer has answered nothing, so no attempts are used up; and yet it ends.
func TestWorker_gives_up_sources_that_stay_away(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.worker(t, func(o *Options) {
		o.MaxAttempts = 2
		o.Sources = newSources(t, tasks.Sources{AllowPrivate: true})
	})
	info := r.wantState(t, r.enqueue(t, r.show("https://127.0.0.1:1/a.png?signature=s3cret")), tasks.StateArchived)
	const want = "given up after 2 attempts: tasks: parts[0].source: https://127.0.0.1:1/a.png: cannot be fetched: "
	if !strings.HasPrefix(info.Error, want) || info.Attempts != 0 {
		t.Errorf("%d attempts: %s", info.Attempts, info.Error)
	}
	r.layer.WantRequests(t, 0)
}

func TestWorker_archives_sources_that_it_must_not_read(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "passwd"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, source, want string }{
		{"a private address", "https://127.0.0.1:1/a.png", "https://127.0.0.1:1/a.png: leads to an address that is not public; a worker may allow private ones"},
		{"a file", "file://" + dir + "/passwd", "file://" + dir + "/passwd: is not in a directory that this worker may read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			var err error
			if r.tasks, err = tasks.NewClientFromRedis(r.client(t), tasks.WithSharedFiles(dir)); err != nil {
				t.Fatal(err)
			}
			r.worker(t, nil)
			info := r.wantState(t, r.enqueue(t, r.show(c.source)), tasks.StateArchived)
			if want := "tasks: parts[0].source: " + c.want; info.Error != want {
				t.Errorf("%s\nwant %s", info.Error, want)
			}
		})
	}
}
