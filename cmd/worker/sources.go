package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/tasks"
)

// newSources is where tasks may take content from. A directory that is not there
// is a mistake at the start; later it may be a volume that comes back.
func newSources(cfg config.Sources) (*tasks.Sources, error) {
	for _, dir := range cfg.Dirs {
		// The slash makes stat refuse a file.
		if _, err := os.Stat(dir + "/"); err != nil {
			if path, ok := errors.AsType[*fs.PathError](err); ok {
				err = path.Err
			}
			return nil, console.Usage(fmt.Errorf("LAYERQ_SOURCE_DIRS (--source-dirs): %q: %w", dir, err))
		}
	}
	return tasks.NewSources(tasks.Sources{
		Dirs: cfg.Dirs, AllowPrivate: cfg.Private, MaxBytes: cfg.MaxSize, Timeout: cfg.Timeout,
	})
}
