package layer_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

var contentID = layer.ContentID(dedupe)

// warehouse is a storage: it takes what is PUT and gives it back.
type warehouse struct {
	*httptest.Server

	stored atomic.Value // []byte
	puts   atomic.Int32
	gets   atomic.Int32
	// fail answers the first requests in place of the warehouse.
	fail []http.HandlerFunc
}

func newWarehouse(t *testing.T, fail ...http.HandlerFunc) *warehouse {
	t.Helper()
	w := &warehouse{fail: fail}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

func (w *warehouse) serve(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		rw.WriteHeader(http.StatusTeapot) // the token is none of the storage's business
		return
	}
	if n := w.puts.Load() + w.gets.Load(); int(n) < len(w.fail) {
		w.count(r)
		w.fail[n](rw, r)
		return
	}
	w.count(r)
	if r.Method == http.MethodGet {
		stored, _ := w.stored.Load().([]byte)
		_, _ = rw.Write(stored)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || int64(len(body)) != r.ContentLength {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	w.stored.Store(body)
	answer(200, `{"kind":"storage#object","size":"7"}`)(rw, r)
}

func (w *warehouse) count(r *http.Request) {
	if r.Method == http.MethodGet {
		w.gets.Add(1)
	} else {
		w.puts.Add(1)
	}
}

func (w *warehouse) upload() *layer.Content {
	return &layer.Content{ID: contentID, Size: 7, UploadURL: w.URL + "/upload?upload_id=s1gned"}
}

func (w *warehouse) ref() layer.ContentRef {
	return layer.ContentRef{ID: contentID, Size: 7, DownloadURL: w.URL + "/download?signature=s1gned"}
}

func picture() layer.UploadRequest {
	return layer.UploadRequest{MIMEType: "image/png", Size: 7, Body: strings.NewReader("picture")}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	w := newWarehouse(t)
	f := newFake(t, func(rw http.ResponseWriter, r *http.Request) {
		answer(201, `{"id":"layer:///content/`+otherUUID+`","size":7,"upload_url":"`+w.URL+`/u?id=s1gned"}`, "Location", "/x")(rw, r)
	})
	req := picture()
	req.Origin = "https://app.example"
	got, err := f.client(t).Content.Upload(t.Context(), conv, dedupe, req)
	if err != nil {
		t.Fatal(err)
	}
	asked := f.seen()[0]
	for name, want := range map[string]string{"Upload-Content-Type": "image/png", "Upload-Content-Length": "7", "Upload-Origin": "https://app.example", "If-None-Match": otherUUID, "Content-Length": "0"} {
		if asked.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, asked.Header.Get(name), want)
		}
	}
	if stored, _ := w.stored.Load().([]byte); string(stored) != "picture" {
		t.Errorf("stored %q", stored)
	}
	want := layer.Part{MIMEType: "image/png", Content: &layer.ContentRef{ID: contentID, Size: 7}}
	if diff := cmp.Diff(want, got.Part("image/png")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUploadWithoutAPlace(t *testing.T) {
	t.Parallel()
	noPlace := answer(201, `{"id":"`+otherUUID+`","size":7}`)
	there := answer(200, `{"id":"`+otherUUID+`","size":7,"download_url":"https://storage.example/d"}`)
	f := newFake(t, noPlace, answer(404, `{"id":"not_found","code":102}`))
	_, err := f.client(t).Content.Upload(t.Context(), conv, dedupe, picture())
	if !layer.IsTransient(err) || !strings.HasSuffix(err.Error(), "/content: 201, but the answer cannot be read: it has no upload_url") {
		t.Errorf("nothing is there: %v", err)
	}
	for name, f := range map[string]*fake{"as the next call says": newFake(t, noPlace, there), "as the answer says": newFake(t, there)} {
		got, err := f.client(t).Content.Upload(t.Context(), conv, dedupe, picture())
		if err != nil || got.ID != contentID || got.Size != 7 {
			t.Errorf("it is there already, %s: %+v, %v", name, got, err)
		}
	}
}

func TestPutIsRepeatedFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWarehouse(t, answer(503, ""), cut)
	books := &ledger{}
	c := newFake(t, cut).client(t, layer.WithObserver(books), layer.WithLimiter(books))
	body := strings.NewReader("not this: picture")
	if _, err := body.Seek(10, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	req := picture()
	req.Body = body
	if err := c.Content.Put(t.Context(), w.upload(), req); err != nil {
		t.Fatal(err)
	}
	if stored, _ := w.stored.Load().([]byte); string(stored) != "picture" || w.puts.Load() != 3 {
		t.Errorf("stored %q in %d requests", stored, w.puts.Load())
	}
	if len(books.attempts) != 3 || books.attempts[2].Operation != "content.put" || len(books.answers) != 0 {
		t.Errorf("%d attempts observed, %d permits taken for another host", len(books.attempts), len(books.answers))
	}
}

func TestPutOfAStreamIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWarehouse(t, answer(503, ""))
	req := picture()
	req.Body = iotest.OneByteReader(strings.NewReader("picture"))
	err := newFake(t, cut).client(t).Content.Put(t.Context(), w.upload(), req)
	if !errors.Is(err, layer.CodeServiceUnavailable) || w.puts.Load() != 1 {
		t.Errorf("%d requests: %v", w.puts.Load(), err)
	}
	if !strings.Contains(err.Error(), w.URL+"/upload: 503") || strings.Contains(err.Error(), "s1gned") {
		t.Errorf("the error says %v", err)
	}
}

func TestPutOfWrongBytes(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for want, body := range map[string]io.Reader{
		"layer: content.put: size: is 7, but body has 4 bytes":                  strings.NewReader("pict"),
		"layer: content.put: size: is 7, but body has more bytes":               strings.NewReader("pictures"),
		"layer: content.put: read what is to be uploaded: the disk is gone":     io.MultiReader(strings.NewReader("pic"), iotest.ErrReader(broken)),
		"layer: content.put: read what is to be uploaded: the disk is gone now": io.MultiReader(strings.NewReader("picture"), iotest.ErrReader(broken)),
	} {
		w := newWarehouse(t)
		req := picture()
		req.Body = body
		err := newFake(t, cut).client(t).Content.Put(t.Context(), w.upload(), req)
		if err == nil || err.Error() != strings.TrimSuffix(want, " now") || layer.IsTransient(err) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestPutRefusals(t *testing.T) {
	t.Parallel()
	elsewhere := newWarehouse(t)
	for name, c := range map[string]struct {
		fail http.HandlerFunc
		text string
	}{
		"an upload that is over": {answer(410, "", "Content-Type", "text/html"), "410 object_deleted"},
		"a redirect":             {answer(302, "", "Location", elsewhere.URL), "302 Found"},
		"a success too early":    {answer(200, "{}"), ""},
	} {
		w := newWarehouse(t, c.fail, c.fail, c.fail)
		req := picture()
		if c.text == "" { // more than fits into the buffers of a connection
			req.Size = 64 << 20
			req.Body = io.LimitReader(zeros{}, req.Size)
		}
		err := newFake(t, cut).client(t).Content.Put(t.Context(), w.upload(), req)
		if c.text != "" && (err == nil || !strings.HasSuffix(err.Error(), "/upload: "+c.text)) {
			t.Errorf("%s: %v", name, err)
		}
		if c.text == "" && !layer.IsTransient(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if elsewhere.puts.Load()+elsewhere.gets.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestPutStalls(t *testing.T) {
	t.Parallel()
	w := newWarehouse(t, func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not see that the client leaves
		silent(rw, r)
	})
	req := picture()
	err := newFake(t, cut).client(t, layer.WithTimeout(patience(layer.KindTimeout))).Content.Put(t.Context(), w.upload(), req)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindTimeout {
		t.Errorf("got %v", err)
	}
}

func TestSendRich(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("x"), layer.MaxInlineBody+1)
	w := newWarehouse(t)
	place := func(rw http.ResponseWriter, r *http.Request) {
		answer(201, `{"id":"`+r.Header.Get("If-None-Match")+`","size":2049,"upload_url":"`+w.URL+`"}`)(rw, r)
	}
	f := newFake(t, place, answer(201, helloAnswer), place, answer(201, helloAnswer))
	c := f.client(t)
	req := layer.SendMessageRequest{Sender: layer.FromUser("ana"), Parts: []layer.Part{layer.Text("small"), {MIMEType: "text/html", Body: string(large)}}}
	if _, err := c.Messages.Send(t.Context(), conv, dedupe, req); len(layer.FieldErrors(err)) != 1 {
		t.Errorf("a plain send: %v", err)
	}
	for range 2 {
		if _, err := c.Messages.SendRich(t.Context(), conv, dedupe, req); err != nil {
			t.Fatal(err)
		}
	}
	if stored, _ := w.stored.Load().([]byte); !bytes.Equal(stored, large) {
		t.Errorf("%d bytes are stored", len(stored))
	}
	step := f.seen()[0].Header.Get("If-None-Match")
	want := `{"sender":{"user_id":"ana"},"parts":[{"mime_type":"text/plain","body":"small"},{"mime_type":"text/html","content":{"id":"layer:///content/` + step + `","size":2049}}]}`
	if f.body(1) != want || f.seen()[1].Header.Get("If-None-Match") != otherUUID {
		t.Errorf("got  %s\nwant %s", f.body(1), want)
	}
	if step == otherUUID || f.seen()[2].Header.Get("If-None-Match") != step {
		t.Error("the upload's UUID is not one of its own, the same each time")
	}
	if _, err := c.Messages.SendRich(t.Context(), conv, uuid.Nil, layer.SendMessageRequest{}); len(layer.FieldErrors(err)) != 2 {
		t.Errorf("an empty message: %v", err)
	}
}

func TestSendRichWithoutUUID(t *testing.T) {
	t.Parallel()
	w := newWarehouse(t)
	f := newFake(t, answer(201, `{"id":"`+otherUUID+`","size":3000,"upload_url":"`+w.URL+`"}`), answer(201, helloAnswer))
	req := layer.SendMessageRequest{Sender: hello.Sender, Parts: []layer.Part{layer.Text(strings.Repeat("x", 3000))}}
	if _, err := f.client(t).Messages.SendRich(t.Context(), conv, uuid.Nil, req); err != nil {
		t.Fatal(err)
	}
	for _, r := range f.seen() {
		if r.Header["If-None-Match"] != nil {
			t.Error("a UUID was made up")
		}
	}
}
