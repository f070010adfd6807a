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
	cmd.SetArgs(args)
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
		Use:   "layer-emulator",
		Short: "The Layer Platform API on this machine",
		Long: `layer-emulator serves the Layer Platform API, versions 1.0 and 1.1, from memory:
to develop against, and to see what a program does when the API misbehaves.

Beside the API it serves controls, which need no token and answer callers on
this machine alone unless --control-addr says otherwise:

  GET  /_emulator/stats                     what was asked and what is stored
  GET  /_emulator/requests?since=N&limit=M  the requests, one JSON line each
  PUT  /_emulator/faults                    {"rules":[{"match":{"path":"/messages$"},"status":503,"after_commit":true}]}
  PUT  /_emulator/limit                     {"limit":"100/1s"}, 429 above it; {"limit":"off"}
  POST /_emulator/reset                     forget everything

Every flag can be set by an environment variable: LAYER_EMULATOR_ and the flag's
name in capitals, - as _ (LAYER_EMULATOR_LOG_LEVEL). With _FILE behind it, the
variable names a file that holds the value. Flags go over variables.`,
		Example: `  layer-emulator
  layer-emulator --addr 127.0.0.1:0 --rate 100/1s --latency 20ms
  layer-emulator --app 6c1f0d2e-8a44-4b7e-9d53-2f10a7c9e3b5 --token secret`,
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
			return serve(cmd.Context(), s, cfg, cmd.ErrOrStderr())
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	s.register(cmd.Flags())
	cmd.AddCommand(probe.Command())
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q: everything is set by flags", args[0])}
	}
	return nil
}
