package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/probe"
	"github.com/layerq/layerq/internal/version"
)

func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	return console.Run(ctx, newCommand(environ), args, stdout, stderr)
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
		Version: version.String(),
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadWorker(cmd.Flags(), environ)
			if err != nil {
				return console.Usage(err)
			}
			switch format {
			case "":
				return serve(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
			case "text":
				return cfg.Settings.WriteText(cmd.OutOrStdout())
			case "json":
				return cfg.Settings.WriteJSON(cmd.OutOrStdout())
			}
			return console.Usage(fmt.Errorf("--print-config=%q: want text or json", format))
		},
	}
	config.WorkerFlags(cmd.Flags())
	cmd.Flags().StringVar(&format, "print-config", "", "print the effective settings, secrets masked, and exit (`text|json`; default text)")
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
