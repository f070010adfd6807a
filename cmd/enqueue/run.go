package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/tasks"
)

// program is what one run of the command works with.
type program struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	env    []string
	now    func() time.Time
}

// run is the whole command: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	p := &program{stdin: stdin, stderr: stderr, env: env, now: time.Now}
	root := p.rootCommand()
	p.stdout = outputOf{root}
	for _, cmd := range root.Commands() {
		work := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return asUsage(plainError(work(cmd, args))) }
	}
	return console.Run(ctx, root, args, stdout, stderr)
}

// plainError leaves out which package of ours an error comes from.
func plainError(err error) error {
	if err == nil {
		return nil
	}
	return textError{err}
}

type textError struct{ error }

func (e textError) Error() string { return strings.TrimPrefix(e.error.Error(), "tasks: ") }

// Unwrap returns the error as it was.
func (e textError) Unwrap() error { return e.error }

// asUsage marks what the user can put right in the command line or the
// environment.
func asUsage(err error) error {
	_, wrongSettings := errors.AsType[config.Errors](err)
	_, wrongTask := errors.AsType[*tasks.InvalidError](err)
	if wrongSettings || wrongTask {
		return console.Usage(err)
	}
	return err
}

// outputOf writes to where a command's results go.
type outputOf struct{ *cobra.Command }

func (o outputOf) Write(b []byte) (int, error) { return o.OutOrStdout().Write(b) }
