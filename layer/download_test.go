package layer_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
)

// TestLargeTransfersTakeLittleMemory moves 64 MiB, at a time longer than the
// timeout of one attempt allows for ordinary calls.
func TestLargeTransfersTakeLittleMemory(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	var taken atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			_, _ = io.CopyN(w, zeros{}, size)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		taken.Store(n)
	}))
	t.Cleanup(server.Close)
	c := newFake(t, cut).client(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := c.Content.Put(t.Context(), &layer.Content{UploadURL: server.URL}, layer.UploadRequest{MIMEType: "a/b", Size: size, Body: io.LimitReader(zeros{}, size)})
	if err != nil || taken.Load() != size {
		t.Fatalf("%d bytes arrived: %v", taken.Load(), err)
	}
	body, err := c.Content.Download(t.Context(), conv, layer.ContentRef{ID: contentID, Size: size, DownloadURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, body)
	if err != nil || n != size {
		t.Errorf("%d bytes came: %v", n, err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	// Other tests run beside this one; the bound is for something like 2 x 64 MiB.
	if grown := after.HeapSys - before.HeapSys; grown > 100<<20 && after.HeapSys > before.HeapSys {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	w := newWarehouse(t)
	w.stored.Store([]byte("picture"))
	refreshed := func(rw http.ResponseWriter, r *http.Request) {
		answer(200, `{"id":"`+otherUUID+`","size":7,"download_url":"`+w.URL+`/fresh?signature=s1gned","expiration":"2099-01-01T00:00:00Z"}`)(rw, r)
	}
	expired, rejected, bare := w.ref(), w.ref(), layer.ContentRef{ID: contentID}
	expired.Expiration = time.Now().Add(-time.Minute)
	rejected.DownloadURL = newWarehouse(t, answer(403, "<Error>", "Content-Type", "application/xml")).URL
	for name, c := range map[string]struct {
		ref      layer.ContentRef
		requests int
	}{
		"by its URL":             {w.ref(), 0},
		"after its URL was over": {expired, 1},
		"after it was rejected":  {rejected, 1},
		"by its id":              {bare, 1},
	} {
		f := newFake(t, refreshed)
		body, err := f.client(t).Content.Download(t.Context(), conv, c.ref)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(body)
		if err != nil || string(got) != "picture" || len(f.seen()) != c.requests {
			t.Errorf("%s: %q, %v after %d requests", name, got, err, len(f.seen()))
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDownloadsThatBreak(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		kind  layer.Kind
	}{
		"half":      {half(200, "picture"), layer.KindCut},
		"too short": {answer(200, "pict"), layer.KindCut},
		"too long":  {answer(200, "pictures"), layer.KindTooLarge},
		"slow":      {slow(200, "picture"), layer.KindTimeout},
		"a part":    {answer(206, "pict"), layer.KindBody},
		"nothing":   {silent, layer.KindTimeout},
		"cut":       {cut, layer.KindCut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWarehouse(t, c.serve, c.serve, c.serve)
			body, err := newFake(t, cut).client(t, layer.WithTimeout(patience(c.kind))).Content.Download(t.Context(), conv, w.ref())
			if err == nil {
				_, err = io.ReadAll(body)
				_ = body.Close()
			}
			e, ok := errors.AsType[*layer.TransportError](err)
			if !ok || e.Kind != c.kind || strings.Contains(err.Error(), "s1gned") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDownloadOfNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(404, `{"id":"not_found","code":102}`), answer(200, contentAnswer))
	c := f.client(t)
	if _, err := c.Content.Download(t.Context(), conv, layer.ContentRef{ID: contentID}); !errors.Is(err, layer.CodeNotFound) {
		t.Errorf("not uploaded: %v", err)
	}
	_, err := c.Content.Download(t.Context(), conv, layer.ContentRef{ID: contentID})
	if fields := layer.FieldErrors(err); len(fields) != 1 || fields[0].Error() != "download_url: is missing" {
		t.Errorf("no URL: %v", err)
	}
}
