package tasks

import (
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
)

// maxCarried is the largest file that travels in a task: in base64 it leaves
// room for the rest within [MaxPayload].
const maxCarried = 128 << 10

// WithSharedFiles names directories that workers see under the same paths, such
// as a mounted volume. A file: source in one of them is left to the worker,
// whatever its size; the worker must allow them, see [Sources].
//
// Of other files those of at most 128 KiB are read when they are enqueued, and
// larger ones are refused.
func WithSharedFiles(dirs ...string) ClientOption {
	return func(c *Client) error {
		for _, dir := range dirs {
			if !filepath.IsAbs(dir) {
				return wrong("shared files", "%s is no absolute path", wording.Quote(dir))
			}
			c.shared = append(c.shared, filepath.Clean(dir))
		}
		return nil
	}
}

// loader is a task that has to be completed with what only the producer can
// read.
type loader interface {
	load(shared []string) (Task, error)
}

// loadParts reads the files of parts, and leaves alone what workers can read.
func loadParts(parts []Part, shared []string) ([]Part, error) {
	loaded := slices.Clone(parts)
	var problems []error
	for i, p := range parts {
		u, err := url.Parse(p.Source)
		if err != nil || u.Scheme != schemeFile {
			continue
		}
		if loaded[i], err = loadFile(p, u.Path, shared); err != nil {
			problems = append(problems, below(partField(i, ""), err))
		}
	}
	return loaded, errors.Join(problems...)
}

func loadFile(p Part, path string, shared []string) (Part, error) {
	f, size, err := openFile(path)
	if err != nil {
		return p, wrong("source", "%s", wording.FileProblem(err))
	}
	defer f.Close()
	switch {
	case size == 0:
		return p, wrong("source", "the file is empty")
	case size > layer.MaxContent:
		return p, wrong("source", "the file has %d bytes, Layer takes at most %d", size, int64(layer.MaxContent))
	case slices.ContainsFunc(shared, func(dir string) bool { return isBelow(dir, path) }):
		return p, nil
	case size > maxCarried:
		return p, wrong("source", "the file has %d bytes, and a task carries at most %d; put it into a directory that workers share, or behind a https: URL", size, maxCarried)
	}
	// One byte more than was announced shows a file that grows.
	content, err := io.ReadAll(io.LimitReader(f, size+1))
	switch {
	case err != nil:
		return p, wrong("source", "%s", wording.FileProblem(err))
	case int64(len(content)) != size:
		return p, wrong("source", "the file changes while it is read")
	case len(content) <= layer.MaxInlineBody:
		return p.withBody(content), nil
	default:
		return Part{MIMEType: p.MIMEType, Source: encodeData(content)}, nil
	}
}

// openFile opens a regular file: a pipe would block, a directory has no content.
func openFile(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

var errNotRegular = errors.New("is no regular file")

// isBelow tells whether a path leads into a directory, as it is written. What
// symbolic links make of it is looked at when a worker opens it.
func isBelow(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
