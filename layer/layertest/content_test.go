package layertest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

type contentJSON struct {
	ID          string  `json:"id"`
	Size        int64   `json:"size"`
	UploadURL   string  `json:"upload_url"`
	DownloadURL *string `json:"download_url"`
	RefreshURL  *string `json:"refresh_url"`
	Expiration  *string `json:"expiration"`
}

func parse[T any](t testing.TB, body string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return v
}

// ask requests an upload to convA.
func (w *wire) ask(size int, headers ...string) answer {
	w.t.Helper()
	headers = append([]string{"Upload-Content-Type", "image/png", "Upload-Content-Length", strconv.Itoa(size)}, headers...)
	return w.do("POST", app+"/conversations/"+convA+"/content", "", headers...)
}

// storage sends a request to the storage, as clients do: without Layer's
// headers.
func (w *wire) storage(method, address string, body io.Reader, length int64) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, address, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.ContentLength = length
	resp, err := w.srv.HTTPClient().Do(req)
	if err != nil {
		return answer{}
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(got)}
}

func TestRichContentFromUploadToDownload(t *testing.T) {
	t.Parallel()
	for _, size := range []int{5, 200_000} { // in memory, and in a file
		w := newWire(t)
		w.conversation()
		body := bytes.Repeat([]byte("x"), size)
		made := w.ask(size)
		ct := parse[contentJSON](t, made.body)
		id := strings.TrimPrefix(ct.ID, "layer:///content/")
		if made.status != 201 || ct.Size != int64(size) || ct.DownloadURL != nil {
			t.Fatalf("got %d %s", made.status, made.body)
		}
		if got, want := made.header.Get("Location"), app+"/conversations/"+convA+"/content/"+id; got != want {
			t.Errorf("got Location %q, want %q", got, want)
		}
		if a := w.do("GET", app+"/conversations/"+convA+"/content/"+id, ""); a.status != 404 {
			t.Errorf("refresh before the upload: got %d %s, want 404", a.status, a.body)
		}
		send := func() answer {
			return w.do("POST", app+"/conversations/"+convA+"/messages", withPart(`{"mime_type":"image/png","content":{"id":"`+ct.ID+`","size":`+strconv.Itoa(size)+`}}`), "If-None-Match", msg1)
		}
		if a := send(); a.status != 422 || !strings.Contains(a.body, "parts[0].content.id") {
			t.Errorf("sending before the upload: got %d %s, want 422", a.status, a.body)
		}
		if a := w.storage("PUT", ct.UploadURL, bytes.NewReader(body[1:]), int64(size-1)); a.status != 400 {
			t.Errorf("uploading too little: got %d %s, want 400", a.status, a.body)
		}
		for range 2 { // again is fine
			if a := w.storage("PUT", ct.UploadURL, bytes.NewReader(body), int64(size)); a.status != 200 || !strings.Contains(a.body, `"storage#object"`) {
				t.Fatalf("uploading: got %d %s", a.status, a.body)
			}
		}
		if a := send(); a.status != 201 {
			t.Fatalf("sending: got %d %s", a.status, a.body)
		}
		type messageJSON struct {
			Parts []struct {
				Body    *string     `json:"body"`
				Content contentJSON `json:"content"`
			} `json:"parts"`
		}
		msg := parse[messageJSON](t, w.do("GET", app+"/users/boris/messages/"+msg1, "").body)
		got := msg.Parts[0].Content
		if got.ID != ct.ID || msg.Parts[0].Body != nil || got.RefreshURL == nil || *got.RefreshURL != "https://api.layer.com"+app+"/conversations/"+convA+"/content/"+id {
			t.Errorf("the part reads %+v", msg.Parts[0])
		}
		fresh := parse[contentJSON](t, w.do("GET", app+"/conversations/"+convA+"/content/"+id, "").body)
		for _, address := range []string{*got.DownloadURL, *fresh.DownloadURL} {
			a := w.storage("GET", address, nil, 0)
			if a.status != 200 || a.body != string(body) || a.header.Get("Content-Type") != "image/png" {
				t.Errorf("download: got %d, %d bytes of %s", a.status, len(a.body), a.header.Get("Content-Type"))
			}
		}
	}
}

func TestRichContentIsRefused(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	w.do("POST", app+"/conversations", `{"participants":["chen"]}`, "If-None-Match", convB)
	ct := parse[contentJSON](t, w.ask(3).body)
	w.storage("PUT", ct.UploadURL, strings.NewReader("abc"), 3)
	for name, part := range map[string]string{
		"an unknown content":     `{"mime_type":"a/b","content":{"id":"` + other + `","size":3}}`,
		"another size":           `{"mime_type":"a/b","content":{"id":"` + ct.ID + `","size":4}}`,
		"no size":                `{"mime_type":"a/b","content":{"id":"` + ct.ID + `"}}`,
		"no id":                  `{"mime_type":"a/b","content":{"size":3}}`,
		"the id of another kind": `{"mime_type":"a/b","content":{"id":"layer:///messages/` + msg1 + `","size":3}}`,
		"a string":               `{"mime_type":"a/b","content":"x"}`,
	} {
		if a := w.do("POST", app+"/conversations/"+convA+"/messages", withPart(part)); a.status != 422 || !strings.Contains(a.body, "parts[0].content") {
			t.Errorf("%s: got %d %s, want 422", name, a.status, a.body)
		}
	}
	part := withPart(`{"mime_type":"a/b","content":{"id":"` + ct.ID + `","size":3}}`)
	part = strings.Replace(part, "ana", "chen", 1)
	if a := w.do("POST", app+"/conversations/"+convB+"/messages", part); a.status != 422 {
		t.Errorf("in another conversation: got %d %s, want 422", a.status, a.body)
	}
	for name, a := range map[string]answer{
		"no size":       w.ask(3, "Upload-Content-Length", ""),
		"size 0":        w.ask(0),
		"more than 2GB": w.ask(1 << 32),
		"no type":       w.ask(3, "Upload-Content-Type", ""),
	} {
		if a.status != 406 || !strings.Contains(a.body, `"header":"Upload-Content-`) {
			t.Errorf("%s: got %d %s, want 406", name, a.status, a.body)
		}
	}
	if a := w.do("POST", app+"/conversations/"+other+"/content", "", "Upload-Content-Type", "a/b", "Upload-Content-Length", "1"); a.status != 404 {
		t.Errorf("an unknown conversation: got %d, want 404", a.status)
	}
}

func TestContentDedupeKeepsTheServersID(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	first := w.ask(3, "If-None-Match", other)
	again := w.ask(3, "If-None-Match", other)
	if first.body != again.body || strings.Contains(parse[contentJSON](t, first.body).ID, other) {
		t.Errorf("got %s and %s, want the same content under an id of the server's", first.body, again.body)
	}
	if got := w.srv.Stats().DedupeHits; got != 1 {
		t.Errorf("%d hits, want 1", got)
	}
}

func TestStorageAddressesAreSigned(t *testing.T) {
	t.Parallel()
	w := newWire(t, layertest.WithConfig(layertest.Config{DownloadTTL: time.Second}))
	w.conversation()
	ct := parse[contentJSON](t, w.ask(3).body)
	forged := strings.Replace(ct.UploadURL, "upload_id=", "upload_id=0", 1)
	if a := w.storage("PUT", forged, strings.NewReader("abc"), 3); a.status != 404 {
		t.Errorf("a forged upload: got %d, want 404", a.status)
	}
	w.storage("PUT", ct.UploadURL, strings.NewReader("abc"), 3)
	id := strings.TrimPrefix(ct.ID, "layer:///content/")
	fresh := parse[contentJSON](t, w.do("GET", app+"/conversations/"+convA+"/content/"+id, "").body)
	u, err := url.Parse(*fresh.DownloadURL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("Expires", "9999999999")
	u.RawQuery = q.Encode()
	if a := w.storage("GET", u.String(), nil, 0); a.status != 403 {
		t.Errorf("a download with another time: got %d, want 403", a.status)
	}
	deadline := time.Now().Add(5 * time.Second)
	for a := w.storage("GET", *fresh.DownloadURL, nil, 0); a.status != 400; a = w.storage("GET", *fresh.DownloadURL, nil, 0) {
		if time.Now().After(deadline) {
			t.Fatalf("the address does not expire: %d", a.status)
		}
	}
}

func TestFaultsOfDownloads(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	const size = 200_000
	ct := parse[contentJSON](t, w.ask(size).body)
	w.storage("PUT", ct.UploadURL, bytes.NewReader(make([]byte, size)), size)
	fresh := parse[contentJSON](t, w.do("GET", app+"/conversations/"+convA+"/content/"+strings.TrimPrefix(ct.ID, "layer:///content/"), "").body)
	download := func() (int64, time.Duration, error) {
		begin := time.Now()
		req, err := http.NewRequestWithContext(t.Context(), "GET", *fresh.DownloadURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.srv.HTTPClient().Do(req)
		if err != nil {
			return 0, 0, err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		return n, time.Since(begin), err
	}
	w.faults(`[{"match":{"path":"^/storage/"},"half_body":true}]`)
	if n, _, err := download(); err == nil || n == 0 || n > size/2 {
		t.Errorf("half a body: got %d bytes, %v", n, err)
	}
	w.faults(`[{"match":{"path":"^/storage/"},"slow_body":"50ms"}]`)
	if n, took, err := download(); err != nil || n != size || took < 50*time.Millisecond {
		t.Errorf("a slow body: got %d bytes in %s, %v", n, took, err)
	}
	w.faults(`[{"match":{"path":"^/storage/"},"status":503}]`)
	if n, _, err := download(); err != nil || n == size {
		t.Errorf("a failure: got %d bytes, %v", n, err)
	}
}

func TestHalfAnUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	const size = 200_000
	ct := parse[contentJSON](t, w.ask(size).body)
	half := io.MultiReader(bytes.NewReader(make([]byte, size/2)), failingReader{})
	if a := w.storage("PUT", ct.UploadURL, half, size); a.status == 200 {
		t.Errorf("half an upload was taken: %s", a.body)
	}
	id := strings.TrimPrefix(ct.ID, "layer:///content/")
	if a := w.do("GET", app+"/conversations/"+convA+"/content/"+id, ""); a.status != 404 {
		t.Errorf("refresh after half an upload: got %d, want 404", a.status)
	}
	if a := w.storage("PUT", ct.UploadURL, bytes.NewReader(make([]byte, size)), size); a.status != 200 {
		t.Errorf("uploading again: got %d %s, want 200", a.status, a.body)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
