package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/layerq/layerq/internal/wording"
)

// input is the stream, which can be read twice where that is needed.
type input struct {
	*os.File           // nil where the stream is no file
	stream   io.Reader // what is read
	size     int64     // -1 where it is unknown
	temp     bool
}

// Close closes the file, and removes it where it was made for this run.
func (in *input) Close() error {
	if in.File == nil {
		return nil
	}
	err := in.File.Close()
	if in.temp {
		err = errors.Join(err, os.Remove(in.Name()))
	}
	return err
}

func (p *program) openInput(args []string, wrong *problems) (*input, error) {
	if len(args) == 0 || args[0] == "-" {
		p.hint("reading tasks from the terminal, one a line; end with Ctrl-D")
		return &input{stream: p.stdin, size: -1}, nil
	}
	f, err := os.Open(args[0])
	if err != nil {
		wrong.add("FILE", "%s: %s", wording.Quote(args[0]), wording.FileProblem(err))
		return &input{}, nil
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(err, f.Close())
	case info.IsDir():
		wrong.add("FILE", "%s is a directory", wording.Quote(args[0]))
	case info.Mode().IsRegular():
		return &input{File: f, stream: f, size: info.Size()}, nil
	}
	return &input{File: f, stream: f, size: -1}, nil
}

// spool copies a stream that can be read only once into a file.
func (in *input) spool(ctx context.Context) (*input, error) {
	if in.size >= 0 {
		return in, nil
	}
	f, err := os.CreateTemp("", "enqueue-*.ndjson")
	if err != nil {
		return nil, fmt.Errorf("--strict reads everything before: %w", err)
	}
	spooled := &input{File: f, stream: f, temp: true}
	copied := make(chan error, 1)
	// A signal must end the command while the copy waits for input, too.
	go func() {
		var err error
		if spooled.size, err = io.Copy(f, in.stream); err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-ctx.Done():
		err = errors.New("interrupted; nothing was enqueued")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--strict reads everything before: %w", err), spooled.Close())
	}
	return spooled, nil
}
