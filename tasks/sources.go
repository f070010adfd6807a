package tasks

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
)

// DefaultSourceTimeout is how long it may take to fetch and upload the sources of
// one task: 200 MiB over a line of 1 Mbit/s.
const DefaultSourceTimeout = 30 * time.Minute

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
	// Timeout bounds fetching and uploading the sources of one task, which go on
	// at the same time. Where no byte moves they end sooner, so that it is there
	// for those that are slow. Defaults to [DefaultSourceTimeout].
	Timeout time.Duration

	fetch *fetcher // made from the above
}

// PerformOption changes how [Perform] executes tasks.
type PerformOption func(*performance)

type performance struct {
	sources  *Sources
	delivery int // 0: not known
}

// WithSources says where the content of parts may come from.
func WithSources(s *Sources) PerformOption { return func(p *performance) { p.sources = s } }

// WithDelivery says that it is the n-th time that the task is performed, from 1. The
// first time nothing can have been uploaded, and Layer is not asked whether it was;
// later it is asked about every upload. Without this it is asked about those of
// 256 KiB or more.
func WithDelivery(n int) PerformOption { return func(p *performance) { p.delivery = n } }

// NewSources checks the settings of a worker's sources, and prepares them for
// use by all its tasks at once.
func NewSources(s Sources) (*Sources, error) {
	s.Dirs = slices.Clone(s.Dirs)
	for i, dir := range s.Dirs {
		if !filepath.IsAbs(dir) {
			return nil, fmt.Errorf("tasks: sources: directory %s is no absolute path", wording.Quote(dir))
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
		s.Timeout = DefaultSourceTimeout
	}
	s.fetch = newFetcher(s.AllowPrivate, nil)
	return &s, nil
}

// TimeFor is how much of the time that a task takes s is to bound: Timeout for a task with
// sources, nothing for others. Whoever bounds the time of [Perform] adds it.
func (s *Sources) TimeFor(t Task) time.Duration {
	if t, ok := t.(sourced); ok && t.hasSource() {
		return s.Timeout
	}
	return 0
}

// defaultSources serve a Perform without [WithSources].
var defaultSources = &Sources{MaxBytes: layer.MaxContent, Timeout: DefaultSourceTimeout, fetch: newFetcher(false, nil)}
