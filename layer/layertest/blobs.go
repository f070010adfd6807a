package layertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// maxSmall is the size up to which a blob is kept in memory rather than in a
// file, unless the emulator keeps its state.
const maxSmall = 64 << 10

// partial begins the names of files that are not whole yet.
const partial = "upload-"

var errSize = errors.New("the blob does not have the size announced")

// blobs keeps the bytes of rich content and of exports: in the emulator's
// directory or, without one, in memory and in a temporary directory.
type blobs struct {
	mu    sync.Mutex
	dir   string // empty until it is needed
	keep  bool   // dir is the emulator's own
	small map[uuid.UUID][]byte
}

// newBlobs keeps blobs in dir, or for as long as the process runs.
func newBlobs(dir string) *blobs {
	return &blobs{dir: dir, keep: dir != "", small: map[uuid.UUID][]byte{}}
}

// put stores exactly size bytes. Until all of them have come, what was there
// before stays.
func (b *blobs) put(id uuid.UUID, r io.Reader, size int64) error {
	r = io.LimitReader(r, size+1)
	if !b.keep && size <= maxSmall {
		return b.putSmall(id, r, size)
	}
	dir, err := b.directory()
	switch {
	case err != nil && !b.keep: // no file can be written, as in some containers
		return b.putSmall(id, r, size)
	case err != nil:
		return err
	}
	f, err := os.CreateTemp(dir, partial+"*")
	if err != nil {
		return err
	}
	if err = b.fill(f, r, size); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, id.String())) //nolint:gosec // the name is a UUID
	}
	if err == nil && b.keep {
		err = syncDir(dir)
	}
	if err != nil {
		_ = os.Remove(f.Name()) //nolint:gosec // made above; it may be there or not
	}
	return err
}

func (b *blobs) putSmall(id uuid.UUID, r io.Reader, size int64) error {
	body, err := io.ReadAll(r)
	switch {
	case err != nil:
		return err
	case int64(len(body)) != size:
		return errSize
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.small[id] = body
	return nil
}

func (b *blobs) fill(f *os.File, r io.Reader, size int64) error {
	n, err := io.Copy(f, r)
	if err == nil && n != size {
		err = errSize
	}
	if err == nil && b.keep {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// directory returns where files go, and makes it when it is needed first.
func (b *blobs) directory() (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dir != "" {
		return b.dir, os.MkdirAll(b.dir, 0o700) //nolint:gosec // the directory that the emulator was given
	}
	dir, err := os.MkdirTemp("", "layer-emulator-")
	if err != nil {
		return "", fmt.Errorf("a directory for rich content: %w", err)
	}
	b.dir = dir
	return dir, nil
}

// blob is an open blob.
type blob interface {
	io.ReadSeekCloser
}

// memoryBlob is a blob in memory.
type memoryBlob struct{ *bytes.Reader }

// Close does nothing.
func (memoryBlob) Close() error { return nil }

func (b *blobs) open(id uuid.UUID) (blob, error) {
	b.mu.Lock()
	body, ok := b.small[id]
	dir := b.dir
	b.mu.Unlock()
	switch {
	case ok:
		return memoryBlob{bytes.NewReader(body)}, nil
	case dir == "":
		return nil, os.ErrNotExist
	default:
		return os.Open(filepath.Join(dir, id.String())) //nolint:gosec // the name is a UUID
	}
}

// size returns how many bytes a blob has.
func (b *blobs) size(id uuid.UUID) (int64, error) {
	x, err := b.open(id)
	if err != nil {
		return 0, err
	}
	n, err := x.Seek(0, io.SeekEnd)
	return n, errors.Join(err, x.Close())
}

func (b *blobs) remove(id uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.small, id)
	if b.dir != "" {
		_ = os.Remove(filepath.Join(b.dir, id.String())) // a small one has no file
	}
}

// clear forgets everything. The directory stays if it is the emulator's own.
func (b *blobs) clear() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.small = map[uuid.UUID][]byte{}
	if b.dir == "" {
		return nil
	}
	if b.keep {
		return b.removeFiles("")
	}
	err := os.RemoveAll(b.dir)
	b.dir = ""
	return err
}

// sweep removes uploads that a crash cut off.
func (b *blobs) sweep() error { return b.removeFiles(partial) }

// removeFiles removes the files in the directory whose names begin so.
func (b *blobs) removeFiles(prefix string) error {
	files, err := os.ReadDir(b.dir)
	for _, f := range files {
		if strings.HasPrefix(f.Name(), prefix) {
			err = errors.Join(err, os.Remove(filepath.Join(b.dir, f.Name())))
		}
	}
	return err
}

// close removes what need not outlive the process.
func (b *blobs) close() error {
	if b.keep {
		return nil
	}
	return b.clear()
}
