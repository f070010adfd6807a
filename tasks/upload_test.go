package tasks

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// picture is a source of its own for each size.
func picture(size int) []byte { return bytes.Repeat([]byte("png\n"), size/4) }

// download reads the rich content of a sent message.
func download(t *testing.T, api *layer.Client, conversation layer.ConversationID, result Result) []string {
	t.Helper()
	m, err := api.Messages.Get(t.Context(), conversation, result.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	var contents []string
	for _, part := range m.Parts {
		if part.Content == nil {
			b, err := part.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			contents = append(contents, "inline:"+string(b))
			continue
		}
		body, err := api.Content.Download(t.Context(), conversation, *part.Content)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(body)
		_ = body.Close()
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(b))
	}
	return contents
}

// performFrom performs a message twice and returns what the users see of it.
func performFrom(t *testing.T, api *layer.Client, task SendMessage, sources *Sources) []string {
	t.Helper()
	if err := task.Validate(); err != nil {
		t.Fatal(err)
	}
	var result Result
	for range 2 {
		var err error
		if result, err = Perform(t.Context(), api, someID, task, WithSources(sources)); err != nil {
			t.Fatal(err)
		}
	}
	if result.MessageID.UUID() != someID {
		t.Errorf("%+v", result)
	}
	return download(t, api, task.Conversation, result)
}

func puts(srv *layertest.Server) int {
	n := 0
	for _, r := range srv.Requests(0, 1000) {
		if r.Method == http.MethodPut {
			n++
		}
	}
	return n
}

func TestRichContentFromEverySource(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana")
	large, medium := picture(600<<10), picture(4<<10)
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/small" {
			_, _ = io.WriteString(w, "small")
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(large))
	})
	dir := t.TempDir()
	h.sources.Dirs = []string{dir}

	got := performFrom(t, srv.Client(t), SendMessage{
		Conversation: conversation, Sender: layer.FromUser("ana"),
		Parts: []Part{
			Text("see"),
			{MIMEType: "image/png", Source: h.URL + "/large"},
			{MIMEType: "text/plain", Source: h.URL + "/small"},
			{MIMEType: "image/png", Source: encodeData(medium)},
			{MIMEType: "image/png", Source: fileURL(t, dir, "large file", large)},
		},
	}, h.sources)
	want := []string{"inline:see", string(large), "inline:small", string(medium), string(large)}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("part %d: %d bytes %.20q, want %d bytes %.20q", i, len(got[i]), got[i], len(want[i]), want[i])
		}
	}
	// The large ones once each; asking about the other one would cost as much as sending it again.
	if n := puts(srv); n != 4 {
		t.Errorf("%d uploads, want 4", n)
	}
	if n := srv.Stats().Messages; n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestRichContentAfterACrash(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana")
	large := picture(600 << 10)
	var fetched atomic.Int32
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(large))
	})
	task := SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []Part{{MIMEType: "image/png", Source: h.URL}}}
	api := srv.Client(t, layer.WithAttemptRetries(0))

	srv.Fault(layertest.Rule{Match: layertest.Match{Path: "/messages$"}, Status: 500, Count: new(1)})
	if _, err := Perform(t.Context(), api, someID, task, WithSources(h.sources)); layer.CodeOf(err) != layer.CodeInternalServerError {
		t.Fatalf("%v", err)
	}
	if got := performFrom(t, api, task, h.sources); got[0] != string(large) {
		t.Errorf("%d bytes", len(got[0]))
	}
	if n := puts(srv); n != 1 {
		t.Errorf("%d uploads, want 1", n)
	}
}

func TestRichContentWhoseSourceHasVanished(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana")
	var gone atomic.Bool
	h := newHost(t, func(w http.ResponseWriter, _ *http.Request) {
		if gone.Load() {
			w.WriteHeader(http.StatusGone)
			return
		}
		_, _ = w.Write(picture(8 << 10))
	})
	task := SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []Part{{MIMEType: "image/png", Source: h.URL + "/a?signature=secret"}}}
	sent, err := Perform(t.Context(), srv.Client(t), someID, task, WithSources(h.sources))
	if err != nil {
		t.Fatal(err)
	}
	gone.Store(true)
	again, err := Perform(t.Context(), srv.Client(t), someID, task, WithSources(h.sources))
	if err != nil || again != sent {
		t.Errorf("the message that was sent is not found: %v, %v", again, err)
	}
	srv.Fault(layertest.Rule{Match: layertest.Match{Method: "GET"}, Status: 503, Count: new(1)})
	_, err = Perform(t.Context(), srv.Client(t, layer.WithAttemptRetries(0)), someID, task, WithSources(h.sources))
	if layer.CodeOf(err) != layer.CodeServiceUnavailable {
		t.Errorf("while Layer does not say whether it was sent: %v", err)
	}
	other := someID
	other[0]++
	_, err = Perform(t.Context(), srv.Client(t), other, task, WithSources(h.sources))
	want := "tasks: parts[0].source: " + h.URL + "/a: the server answered 410"
	if errText(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestRichContentWhoseUploadURLIsOver(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana")
	srv.Fault(layertest.Rule{Match: layertest.Match{Method: "PUT"}, Status: 404, Count: new(1)})
	dir := t.TempDir()
	sources, err := NewSources(Sources{Dirs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{fileURL(t, dir, "a", picture(8<<10)), encodeData(picture(8 << 10))} {
		got := performFrom(t, srv.Client(t), SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []Part{{MIMEType: "image/png", Source: source}}}, sources)
		if len(got[0]) != 8<<10 {
			t.Errorf("%d bytes", len(got[0]))
		}
	}
}

func TestRichContentThatTakesTooLong(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	conversation := srv.AddConversation("ana")
	h := newHost(t, web)
	h.sources.Timeout = 50 * time.Millisecond
	srv.Fault(layertest.Rule{Match: layertest.Match{Method: "PUT"}, AfterCommit: true, Hang: true})
	for source, problem := range map[string]string{
		h.URL + "/hangs":             "took too long",
		h.URL + "/stalls":            "took too long",
		encodeData(picture(8 << 10)): "it was not fetched and uploaded within 50ms",
	} {
		_, err := Perform(t.Context(), srv.Client(t), someID, SendMessage{Conversation: conversation, Sender: layer.FromUser("ana"), Parts: []Part{{MIMEType: "image/png", Source: source}}}, WithSources(h.sources))
		failed, ok := errors.AsType[*SourceError](err)
		if !ok || !failed.Temporary || failed.Problem != problem || failed.Field != "parts[0].source" {
			t.Errorf("%.60s: %v", source, err)
		}
	}
}
