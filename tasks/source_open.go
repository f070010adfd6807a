package tasks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/layerq/layerq/internal/wording"
)

// opened is the content of a source, about to be read once.
type opened struct {
	io.ReadCloser

	size int64
}

// open gives the content of a source. Its errors are [*SourceError] without the
// field, or the end of ctx.
func (s *Sources) open(ctx context.Context, source string) (*opened, error) {
	u, err := parseSource(source)
	if err != nil {
		return nil, err
	}
	var content *opened
	switch u.Scheme {
	case schemeData:
		content, err = openData(source)
	case schemeFile:
		content, err = s.openFile(u)
	default:
		content, err = s.fetch.open(ctx, u, s.MaxBytes)
	}
	if err != nil {
		return nil, err
	}
	if err := s.checkSize(u, content.size); err != nil {
		_ = content.Close()
		return nil, err
	}
	return content, nil
}

func (s *Sources) checkSize(u *url.URL, size int64) error {
	switch {
	case size == 0:
		return permanent(u, "is empty")
	case size > s.MaxBytes:
		return permanent(u, "has %d bytes, at most %d are taken", size, s.MaxBytes)
	default:
		return nil
	}
}

func openData(source string) (*opened, error) {
	content, err := decodeData(source)
	if err != nil {
		return nil, err
	}
	return inMemory(content), nil
}

// inMemory can be read again from its start, as a file can, when an upload fails
// on the way.
func inMemory(content []byte) *opened {
	return &opened{memory{bytes.NewReader(content)}, int64(len(content))}
}

type memory struct{ *bytes.Reader }

// Close implements io.Closer.
func (memory) Close() error { return nil }

// openFile opens a file below one of the directories. os.Root keeps symbolic
// links from leading out of it.
func (s *Sources) openFile(u *url.URL) (*opened, error) {
	for _, dir := range s.Dirs {
		if !isBelow(dir, u.Path) {
			continue
		}
		rel, err := filepath.Rel(dir, u.Path)
		if err != nil {
			continue
		}
		return openBelow(u, dir, rel)
	}
	return nil, permanent(u, "is not in a directory that this worker may read")
}

func openBelow(u *url.URL, dir, rel string) (*opened, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, temporary(u, err, "%s", wording.FileProblem(err)) // a volume that is not mounted
	}
	defer root.Close()
	info, err := root.Stat(rel)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, permanent(u, "%s", wording.FileProblem(err))
	}
	f, err := root.Open(rel)
	if err != nil {
		return nil, permanent(u, "%s", wording.FileProblem(err))
	}
	return &opened{sourceFile{f, u}, info.Size()}, nil
}

// sourceFile is a file whose failures on the way are those of a source.
type sourceFile struct {
	*os.File

	url *url.URL
}

// Read implements io.Reader.
func (f sourceFile) Read(buffer []byte) (int, error) {
	n, err := f.File.Read(buffer)
	if err != nil && !errors.Is(err, io.EOF) {
		err = temporary(f.url, err, "cannot be read: %s", wording.FileProblem(err))
	}
	return n, err
}
