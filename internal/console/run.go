package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes, a promise to scripts.
const (
	Done   = 0 // it did what it was told
	Failed = 1 // it did not
	Wrong  = 2 // the command line, the environment or an address is wrong: nothing was begun
)

// UsageError marks what whoever runs a program can put right in its command
// line or configuration: exit code 2. Its text may have several lines.
type UsageError struct{ Err error }

// Usage marks err, unless it is nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return &UsageError{err}
}

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns what was marked.
func (e *UsageError) Unwrap() error { return e.Err }

// ErrSaid ends a command that has told what is wrong already.
var ErrSaid = errors.New("failed")

// Run executes a program and returns its exit code. The root is its command
// tree without help and completion, which are added. What is wrong is
// written to stderr, each line behind the program's name.
//
// A result that could not be written is a failure: a script must not take half of
// one for the whole.
func Run(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	root.SetArgs(append([]string{}, args...)) // of nil cobra would make os.Args
	complete(root)
	started := false // what fails before a command's own work is wrong usage
	finish(root, &started)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && out.err != nil {
		err, started = fmt.Errorf("results cannot be written: %w", out.err), true
	}
	if err == nil {
		return Done
	}
	_, usage := errors.AsType[*UsageError](err)
	if usage || !started {
		complain(stderr, root.Name(), err)
		fmt.Fprintf(stderr, "See '%s --help'.\n", cmd.CommandPath())
		return Wrong
	}
	if !errors.Is(err, ErrSaid) {
		complain(stderr, root.Name(), err)
	}
	return Failed
}

func complain(stderr io.Writer, name string, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "%s: %s\n", name, Printable(strings.TrimRight(line, "\n")))
	}
}

// Printable keeps what others wrote from steering the terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// output is standard output. It remembers that something could not be written.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(b)
	o.err = err
	return n, err
}
