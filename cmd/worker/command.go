package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/probe"
	"github.com/layerq/layerq/internal/version"
)

// The exit codes of all programs of the project.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is what only shows when the worker starts, and is wrong
// configuration all the same, such as an address that is taken: exit 2.
type usageError struct{ error }

// Unwrap returns the error that says what is wrong.
func (e usageError) Unwrap() error { return e.error }

func isUsage(err error) bool {
	if _, ok := errors.AsType[usageError](err); ok {
		return true
	}
	_, ok := errors.AsType[config.Errors](err)
	return ok
}

func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	cmd := newCommand(environ)
	started := false // what fails before is wrong usage
	cmd.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	cmd.SetArgs(append([]string{}, args...)) // nil would be the arguments of the process
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "worker: %s\n", strings.TrimRight(line, "\n"))
	}
	if !started || isUsage(err) {
		fmt.Fprintln(stderr, "See 'worker --help'.")
		return exitUsage
	}
	return exitFailed
}

func newCommand(environ []string) *cobra.Command {
	var format string // of --print-config; empty without it
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Take tasks from Redis and execute them against the Layer API",
		Long: `worker takes tasks from Redis and executes them against the Layer API, until it
is told to stop (SIGTERM, Ctrl-C). It then takes no more tasks, waits for those
that run, and hands the rest back to their queues; a second signal ends it at
once.

Every setting is a flag or an environment variable; flags go over variables. A
variable with _FILE behind it names a file that holds the value.

With nothing configured it runs a sandbox: an embedded Redis and a Layer
emulator in the same process, which keep nothing when it stops.

Exit codes: 0 stopped as told; 1 it failed; 2 wrong usage or configuration.`,
		Example: `  worker
  REDIS_URL=redis://127.0.0.1:6379 LAYER_APP_ID=11111111-1111-4111-8111-111111111111 LAYER_TOKEN_FILE=/run/secrets/token worker
  worker --queues critical=8,default=64 --drain-timeout 60s
  worker --print-config`,
		Version:       version.String(),
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadWorker(cmd.Flags(), environ)
			if err != nil {
				return err
			}
			switch format {
			case "":
				return serve(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
			case "text":
				return cfg.Settings.WriteText(cmd.OutOrStdout())
			case "json":
				return cfg.Settings.WriteJSON(cmd.OutOrStdout())
			}
			return usageError{fmt.Errorf("--print-config=%q: want text or json", format)}
		},
	}
	config.WorkerFlags(cmd.Flags())
	cmd.Flags().StringVar(&format, "print-config", "", "print the effective settings, secrets masked, as `text` or json, and exit")
	cmd.Flags().Lookup("print-config").NoOptDefVal = "text"
	cmd.AddCommand(probe.Command())
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: everything is set by flags", args[0])
	}
	return nil
}
