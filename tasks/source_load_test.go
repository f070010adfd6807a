package tasks

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
)

// fileURL writes a file and returns its file: URL.
func fileURL(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

func messageWith(source string) SendMessage {
	return SendMessage{Conversation: layer.ConversationID(someID), Sender: layer.FromName("a"), Parts: []Part{Text("see"), {MIMEType: "image/png", Source: source}}}
}

func TestFilesAreReadWhenEnqueued(t *testing.T) {
	t.Parallel()
	dir, shared := t.TempDir(), t.TempDir()
	c, err := NewClientFromRedis(redistest.New(t), WithSharedFiles(shared))
	if err != nil {
		t.Fatal(err)
	}
	small, medium, large := []byte("small \xff"), bytes.Repeat([]byte("m"), 128<<10), bytes.Repeat([]byte("l"), 128<<10+1)
	for _, tt := range []struct {
		name, source string
		want         Part
		problem      string
	}{
		{"a small one becomes the body", fileURL(t, dir, "a b?.png", small), Part{MIMEType: "image/png", Body: "c21hbGwg/w==", Encoding: "base64"}, ""},
		{"a larger one travels along", fileURL(t, dir, "medium", medium), Part{MIMEType: "image/png", Source: encodeData(medium)}, ""},
		{"one that is too large", fileURL(t, dir, "large", large), Part{}, "the file has 131073 bytes, and a task carries at most 131072; put it into a directory that workers share, or behind a https: URL"},
		{"a large one that workers see", fileURL(t, shared, "large", large), Part{MIMEType: "image/png", Source: "file://" + shared + "/large"}, ""},
		{"one that is not there", "file://" + dir + "/nothing", Part{}, "there is no such file"},
		{"one that workers would not find", "file://" + shared + "/nothing", Part{}, "there is no such file"},
		{"an empty one", fileURL(t, dir, "empty", nil), Part{}, "the file is empty"},
		{"a directory", "file://" + dir, Part{}, "is no regular file"},
		{"a device", "file:///dev/zero", Part{}, "is no regular file"},
		{"a large one beside the shared ones", "file://" + shared + "/.." + strings.TrimPrefix(fileURL(t, dir, "large", large), "file://"+filepath.Dir(dir)), Part{}, "the file has 131073 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := c.prepare(messageWith(tt.source), nil)
			if tt.problem != "" {
				if want := "tasks: message:send: parts[1].source: " + tt.problem; !strings.HasPrefix(errText(err), want) {
					t.Errorf("got %v\nwant %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			decoded, err := Decode(TypeSendMessage, p.entry.Message.Payload)
			if err != nil {
				t.Fatal(err)
			}
			sent, ok := decoded.(SendMessage)
			if !ok || sent.Parts[0] != Text("see") {
				t.Fatalf("%+v", decoded)
			}
			if diff := cmp.Diff(tt.want, sent.Parts[1]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilesThatDoNotFitTogether(t *testing.T) {
	t.Parallel()
	c, err := NewClientFromRedis(redistest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	task := messageWith(fileURL(t, t.TempDir(), "a", bytes.Repeat([]byte("m"), 100<<10)))
	task.Parts = append(task.Parts, task.Parts[1])
	_, err = c.prepare(task, nil)
	if !strings.HasPrefix(errText(err), "tasks: message:send: payload: is 2") {
		t.Errorf("%v", err)
	}
}

func TestSharedFilesAreAbsolute(t *testing.T) {
	t.Parallel()
	_, err := NewClientFromRedis(redistest.New(t), WithSharedFiles("srv"))
	if want := `tasks: shared files: "srv" is no absolute path`; errText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
