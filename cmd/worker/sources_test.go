package main

import (
	"bytes"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// album is where a message's pictures are: a directory that producer and worker
// share, and a web server on a private address.
type album struct {
	*site

	dir  string
	conv layer.ConversationID
	web  *httptest.Server
}

func newAlbum(t *testing.T, handler http.HandlerFunc) *album {
	t.Helper()
	a := &album{site: newSite(t), dir: t.TempDir(), web: httptest.NewTLSServer(handler)}
	t.Cleanup(a.web.Close)
	a.conv = a.layer.AddConversation("alice", "bob")
	var err error
	if a.tasks, err = tasks.NewClientFromRedis(redistest.New(t), tasks.WithSharedFiles(a.dir)); err != nil {
		t.Fatal(err)
	}
	// What Go takes for the system's authorities.
	trusted := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.web.Certificate().Raw})
	if err := os.WriteFile(trusted, block, 0o600); err != nil {
		t.Fatal(err)
	}
	a.env = append(a.env, "SSL_CERT_FILE="+trusted, "LAYERQ_RETRY_MIN=10ms", "LAYERQ_RETRY_MAX=20ms")
	return a
}

// allowed makes the worker read all of it.
func (a *album) allowed() []string {
	return []string{"LAYERQ_SOURCE_DIRS=" + a.dir, "LAYERQ_SOURCE_PRIVATE=true"}
}

func (a *album) file(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

func (a *album) show(t *testing.T, sources ...string) *tasks.Info {
	t.Helper()
	message := tasks.SendMessage{Conversation: a.conv, Sender: layer.FromUser("alice"), Parts: []tasks.Part{tasks.Text("see")}}
	for _, source := range sources {
		message.Parts = append(message.Parts, tasks.Part{MIMEType: "image/png", Source: source})
	}
	info, err := a.tasks.Enqueue(t.Context(), message)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// wantContents reads the message of a task as bob would, with what is behind its parts.
func (a *album) wantContents(t *testing.T, info *tasks.Info, want ...[]byte) {
	t.Helper()
	api := a.layer.Client(t)
	m, err := api.Messages.Get(t.Context(), a.conv, layer.MessageID(info.ID))
	if err != nil {
		t.Fatal(err)
	}
	for i, content := range want {
		ref := m.Parts[i+1].Content
		if ref == nil {
			t.Fatalf("part %d has no content: %+v", i+1, m.Parts[i+1])
		}
		body, err := api.Content.Download(t.Context(), a.conv, *ref)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if err := body.Close(); err != nil {
			t.Error(err)
		}
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("part %d: %d bytes, %v; want %d", i+1, len(got), err, len(content))
		}
	}
}

func (a *album) uploads() (n int) {
	for _, r := range a.layer.Requests(0, 1000) {
		if r.Method == http.MethodPut {
			n++
		}
	}
	return n
}

func picture(kib int) []byte { return bytes.Repeat([]byte("01234567"), kib<<7) }

func showing(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// From the producer to what the recipient downloads, and nothing is uploaded again
// when the message itself has to be sent again.
func TestProcess_sends_pictures(t *testing.T) {
	t.Parallel()
	fetched := picture(300)
	a := newAlbum(t, showing(fetched))
	a.layer.Fault(layertest.Rule{Match: layertest.Match{Method: "POST", Path: "/messages$"}, Status: 500, Count: new(4)})
	carried, shared := picture(100), picture(600)
	a.process(t, a.allowed()...)
	info := a.show(t, a.file(t, t.TempDir(), "carried.png", carried), a.file(t, a.dir, "shared.png", shared), a.web.URL+"/a.png?signature=s3cret")
	a.wait(t, info, tasks.StateCompleted)
	a.wantContents(t, info, carried, shared, fetched)
	if status, err := a.tasks.Status(t.Context(), info.ID); err != nil || status.Attempts < 2 {
		t.Errorf("%+v, %v: want it repeated", status, err)
	}
	if n := a.uploads(); n != 3 {
		t.Errorf("%d uploads, want 3", n)
	}
}

func TestProcess_refuses_private_sources_by_default(t *testing.T) {
	t.Parallel()
	a := newAlbum(t, showing(picture(4)))
	a.process(t)
	for source, why := range map[string]string{
		a.web.URL + "/a.png?signature=s3cret":               a.web.URL + "/a.png: leads to an address that is not public; a worker may allow private ones",
		a.file(t, a.dir, "a.png", picture(4)):               "file://" + a.dir + "/a.png: is not in a directory that this worker may read",
		strings.Replace(a.web.URL, "127.0.0.1", "[::1]", 1): strings.Replace(a.web.URL, "127.0.0.1", "[::1]", 1) + ": leads to an address that is not public; a worker may allow private ones",
	} {
		info := a.show(t, source)
		a.wait(t, info, tasks.StateArchived)
		status, err := a.tasks.Status(t.Context(), info.ID)
		if want := "tasks: parts[1].source: " + why; err != nil || status.Error != want {
			t.Errorf("%+v, %v\nwant %s", status, err, want)
		}
	}
}

// A worker that is killed in the middle of an upload leaves a place at Layer,
// which the next one fills.
func TestProcess_uploads_after_a_kill(t *testing.T) {
	t.Parallel()
	content := picture(1 << 10)
	var killed atomic.Bool
	half := make(chan struct{}, 1)
	a := newAlbum(t, func(w http.ResponseWriter, r *http.Request) {
		if killed.Load() {
			showing(content)(w, r)
			return
		}
		w.Header().Set("Content-Length", "1048576")
		_, _ = w.Write(content[:len(content)/2])
		http.NewResponseController(w).Flush() //nolint:errcheck // the worker sees what comes
		half <- struct{}{}
		<-r.Context().Done()
	})
	first, _ := a.process(t, a.allowed()...)
	info := a.show(t, a.web.URL+"/a.png")
	<-half
	eventually(t, "the upload", func() bool { return a.created() == 1 })
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended(t, first)
	killed.Store(true)
	a.forgetLease(t, info)
	a.process(t, a.allowed()...)
	a.wait(t, info, tasks.StateCompleted)
	a.wantContents(t, info, content)
	if n := a.layer.Stats().Messages; n != 1 {
		t.Errorf("%d messages", n)
	}
}

// created counts the requests for a place to upload to.
func (a *album) created() (n int) {
	for _, r := range a.layer.Requests(0, 1000) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/content") {
			n++
		}
	}
	return n
}

// forgetLease makes a task's lease one that has ended long ago.
func (a *album) forgetLease(t *testing.T, info *tasks.Info) {
	t.Helper()
	err := redistest.New(t).ZAddXX(t.Context(), "asynq:{"+info.Queue+"}:lease", redis.Z{Score: 1, Member: info.ID.String()}).Err()
	if err != nil {
		t.Fatal(err)
	}
}
