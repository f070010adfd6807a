//go:build linux || darwin

package layer_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
)

// An upload goes on while bytes go out, however long that takes; and the kernel's
// buffers, which hold all of this one, do not make it look like a stall.
func TestPutOverASlowLine(t *testing.T) {
	t.Parallel()
	const size, chunk = 2 << 20, 32 << 10
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for {
			if _, err := io.CopyN(io.Discard, r.Body, chunk); err != nil {
				return
			}
			<-time.After(100 * time.Millisecond)
		}
	}))
	t.Cleanup(server.Close)
	c := newFake(t, cut).client(t, layer.WithTimeout(3*time.Second))
	start := time.Now()
	err := c.Content.Put(t.Context(), &layer.Content{UploadURL: server.URL}, layer.UploadRequest{MIMEType: "a/b", Size: size, Body: io.LimitReader(zeros{}, size)})
	if took := time.Since(start); err != nil || took < 6*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

// A reader that takes its time is no stall of the storage's.
func TestPutOfASlowReader(t *testing.T) {
	t.Parallel()
	w := newWarehouse(t)
	body := &slowReader{pause: 2 * time.Second, reader: picture().Body}
	req := picture()
	req.Body = body
	if err := newFake(t, cut).client(t, layer.WithTimeout(time.Second)).Content.Put(t.Context(), w.upload(), req); err != nil {
		t.Error(err)
	}
}

type slowReader struct {
	pause  time.Duration
	reader io.Reader
}

func (r *slowReader) Read(b []byte) (int, error) {
	<-time.After(r.pause)
	r.pause = 0
	return r.reader.Read(b)
}
