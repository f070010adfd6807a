package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/probe"
	"github.com/layerq/layerq/internal/version"
)

// The exit codes of all programs of the project.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a wrong flag, variable or address: exit 2.
type usageError struct{ error }

// Unwrap returns the error that says what is wrong.
func (e usageError) Unwrap() error { return e.error }

func run(ctx context.Context, args []string, lookup lookupEnv, stdout, stderr io.Writer) int {
	cmd := newCommand(lookup)
	cmd.SetArgs(append([]string{}, args...)) // nil would be the arguments of the process
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "layer-emulator: %v\nRun layer-emulator --help for usage.\n", err)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "layer-emulator: %v\n", err)
		return exitFailed
	}
}

func newCommand(lookup lookupEnv) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:           "layer-emulator",
		Short:         "The Layer Platform API on this machine",
		Long:          long,
		Example:       example,
		Args:          noArguments,
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.fromEnv(cmd.Flags(), lookup); err != nil {
				return err
			}
			cfg, err := s.check()
			if err != nil {
				return err
			}
			return serve(cmd.Context(), &s, cfg, cmd.ErrOrStderr())
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.SetVersionTemplate("layer-emulator {{.Version}}\n")
	addFlags(cmd, &s)
	cmd.AddCommand(probe.Command())
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q: everything is set by flags", args[0])}
	}
	return nil
}
