package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/tasks"
)

// The exit codes, a promise to scripts.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// program is what one run of the command works with.
type program struct {
	stdin  io.Reader
	stdout *results
	stderr io.Writer
	env    []string
	now    func() time.Time
	// started is set when the arguments were understood so far that a command
	// began: what fails before is wrong usage.
	started bool
}

// run is the whole command: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	p := &program{stdin: stdin, stdout: &results{w: stdout}, stderr: stderr, env: env, now: time.Now}
	root := p.rootCommand()
	root.SetArgs(append([]string{}, args...)) // of nil cobra would make os.Args
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && p.stdout.err != nil {
		err = fmt.Errorf("results cannot be written: %w", p.stdout.err)
	}
	switch {
	case err == nil:
		return exitDone
	case !p.started || isUsage(err):
		p.complain(err)
		fmt.Fprintf(stderr, "See '%s --help'.\n", cmd.CommandPath())
		return exitUsage
	case !errors.Is(err, errSaid):
		p.complain(err)
	}
	return exitFailed
}

// errSaid ends a command that has told what is wrong already.
var errSaid = errors.New("failed")

// complain writes an error, which may have several lines.
func (p *program) complain(err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(p.stderr, "enqueue: %s\n", printable(strings.TrimRight(line, "\n")))
	}
}

// isUsage tells what the user can put right in the command line or the
// environment from what failed.
func isUsage(err error) bool {
	for _, kind := range []func() bool{
		func() bool { _, ok := errors.AsType[*usageError](err); return ok },
		func() bool { _, ok := errors.AsType[config.Errors](err); return ok },
		func() bool { _, ok := errors.AsType[*tasks.InvalidError](err); return ok },
	} {
		if kind() {
			return true
		}
	}
	return false
}

// results is standard output. It remembers that something could not be
// written: a script must not take half a result for a whole one.
type results struct {
	w   io.Writer
	err error
}

func (r *results) Write(b []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.w.Write(b)
	r.err = err
	return n, err
}
