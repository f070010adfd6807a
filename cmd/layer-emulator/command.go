package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/probe"
	"github.com/layerq/layerq/internal/version"
)

func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	return console.Run(ctx, newCommand(environ), args, stdout, stderr)
}

func newCommand(environ []string) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:     "layer-emulator",
		Short:   "The Layer Platform API on this machine",
		Long:    long,
		Example: example,
		Args:    noArguments,
		Version: version.String(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.fromEnv(cmd.Flags(), environ); err != nil {
				return err
			}
			cfg, err := s.check()
			if err != nil {
				return err
			}
			return serve(cmd.Context(), &s, cfg, cmd.ErrOrStderr())
		},
	}
	addFlags(cmd, &s)
	cmd.AddCommand(probe.Command())
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return console.Usage(fmt.Errorf("unexpected argument %q: everything is set by flags", args[0]))
	}
	return nil
}
