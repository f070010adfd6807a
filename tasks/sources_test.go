package tasks

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestTimeForSources(t *testing.T) {
	t.Parallel()
	sources, err := NewSources(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		task Task
		want time.Duration
	}{
		{"a message with a source", messageWith("https://example.com/a.png"), DefaultSourceTimeout},
		{"one without", SendMessage{Parts: []Part{Text("see")}}, 0},
		{"a task that takes none", BlockUser{Owner: "ana", User: "bob"}, 0},
	} {
		if got := sources.TimeFor(c.task); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSourcesThatChangeWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	up := uploader{api: srv.Client(t), conversation: srv.AddConversation("ana"), id: dedupe(someID), performance: performance{sources: defaultSources}}
	part := Part{MIMEType: "image/png", Source: "file:///srv/a.png"}
	for _, size := range []int64{5000, 3000} {
		content := inMemory(picture(4000))
		content.size = size
		_, err := up.upload(t.Context(), part.Source, part, content)
		failed, ok := errors.AsType[*SourceError](err)
		if !ok || !failed.Temporary || failed.Source != part.Source || failed.Problem != "changes while it is read" {
			t.Errorf("%d bytes announced, 4000 read: %v", size, err)
		}
	}
}

func TestFilesThatFailWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil { // as a volume that goes away
		t.Fatal(err)
	}
	_, err = readInline(Part{MIMEType: "image/png"}, &opened{sourceFile{f, &url.URL{Scheme: "file", Path: "/srv/a.png"}}, 10})
	failed, ok := errors.AsType[*SourceError](err)
	if !ok || !failed.Temporary || failed.Problem != "cannot be read: file already closed" {
		t.Errorf("%v", err)
	}
	if layer.CodeOf(err) != "" {
		t.Errorf("it looks like an answer: %v", err)
	}
}

// A delivery that is known to be the first asks nothing; later ones upload nothing
// again, however small it is.
func TestDeliveriesTellWhatMayBeThere(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	task := SendMessage{
		Conversation: srv.AddConversation("ana"), Sender: layer.FromUser("ana"),
		Parts: []Part{{MIMEType: "image/png", Source: encodeData(picture(4 << 10))}, {MIMEType: "image/png", Source: encodeData(picture(300 << 10))}},
	}
	api := srv.Client(t, layer.WithAttemptRetries(0))
	for _, c := range []struct {
		delivery, wantPuts, wantRequests int
	}{
		{1, 2, 5}, // a place, the bytes, for each; the message
		{2, 2, 5 + 5},
		{3, 2, 5 + 5 + 5},
	} {
		if _, err := Perform(t.Context(), api, someID, task, WithDelivery(c.delivery)); err != nil {
			t.Fatal(err)
		}
		if got, requests := puts(srv), len(srv.Requests(0, 100)); got != c.wantPuts || requests != c.wantRequests {
			t.Errorf("delivery %d: %d uploads in %d requests, want %d in %d", c.delivery, got, requests, c.wantPuts, c.wantRequests)
		}
	}
}
