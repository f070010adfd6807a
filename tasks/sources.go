package tasks

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/layerq/layerq/layer"
)

// DefaultFetchTimeout is how long it may take to fetch one source, and to
// upload it meanwhile.
const DefaultFetchTimeout = 4 * time.Minute

// Sources says where a worker may take the content of parts from. The zero value
// takes https: URLs of public hosts and no files.
type Sources struct {
	// Dirs are directories below which file: sources may be read. There are none
	// by default: a task could send any file of the worker's machine.
	Dirs []string
	// AllowPrivate lets https: sources be fetched from loopback, private and
	// link-local addresses, too. Without it a task cannot reach what only the
	// worker's network can, such as a cloud's metadata.
	AllowPrivate bool
	// MaxBytes is the largest source. Defaults to what Layer takes, 2 GB.
	MaxBytes int64
	// Timeout bounds fetching one source, including its upload, which goes on
	// at the same time. Defaults to [DefaultFetchTimeout].
	Timeout time.Duration

	fetch *fetcher // made from the above
}

// PerformOption changes how [Perform] executes tasks.
type PerformOption func(*performance)

type performance struct{ sources *Sources }

// WithSources says where the content of parts may come from.
func WithSources(s *Sources) PerformOption { return func(p *performance) { p.sources = s } }

// NewSources checks the settings of a worker's sources, and prepares them for
// use by all its tasks at once.
func NewSources(s Sources) (*Sources, error) {
	s.Dirs = slices.Clone(s.Dirs)
	for i, dir := range s.Dirs {
		if !filepath.IsAbs(dir) {
			return nil, fmt.Errorf("tasks: sources: directory %s is no absolute path", quoteShort(dir))
		}
		s.Dirs[i] = filepath.Clean(dir)
	}
	switch {
	case s.MaxBytes < 0 || s.MaxBytes > layer.MaxContent:
		return nil, fmt.Errorf("tasks: sources: at most %d bytes, want 1 to %d", s.MaxBytes, int64(layer.MaxContent))
	case s.Timeout < 0:
		return nil, fmt.Errorf("tasks: sources: timeout is negative: %v", s.Timeout)
	}
	if s.MaxBytes == 0 {
		s.MaxBytes = layer.MaxContent
	}
	if s.Timeout == 0 {
		s.Timeout = DefaultFetchTimeout
	}
	s.fetch = newFetcher(s.AllowPrivate, nil)
	return &s, nil
}

// defaultSources serve a Perform without [WithSources].
var defaultSources = &Sources{MaxBytes: layer.MaxContent, Timeout: DefaultFetchTimeout, fetch: newFetcher(false, nil)}
