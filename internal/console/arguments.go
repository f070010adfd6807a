package console

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/layerq/layerq/internal/nearest"
)

// Arguments takes at least least and as many as names arguments, and calls them by
// their names where there are fewer or more.
func Arguments(least int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("%s is missing", names[len(args)])
		case len(args) > len(names) && len(names) == 0:
			return fmt.Errorf("%s takes no argument, but %q was given", cmd.Name(), args[0])
		case len(args) > len(names):
			return fmt.Errorf("%s takes %s, but %q was given as well", cmd.Name(), strings.Join(names, " and "), args[len(names)])
		}
		return nil
	}
}

// KnownCommand refuses what is no command, with what was probably meant.
func KnownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
		}
	}
	problem := fmt.Sprintf("unknown command %q", args[0])
	if meant := nearest.To(args[0], names); meant != "" {
		problem += fmt.Sprintf(", did you mean %q?", meant)
	}
	return errors.New(problem)
}

// flagError adds to an unknown flag what was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	if unknown.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("unknown flag -%s: flags have two dashes", unknown.GetSpecifiedShortnames())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	problem := "unknown flag --" + unknown.GetSpecifiedName()
	if meant := nearest.To(unknown.GetSpecifiedName(), names); meant != "" {
		problem += fmt.Sprintf(", did you mean --%s?", meant)
	}
	return errors.New(problem)
}
