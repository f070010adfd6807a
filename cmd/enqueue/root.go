package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/nearest"
	"github.com/layerq/layerq/internal/version"
)

// The groups under which help lists the commands.
const (
	groupTasks = "tasks"
	groupLook  = "look"
)

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "enqueue COMMAND",
		Short: "Enqueue tasks for the Layer API and look after them",
		Long: `enqueue hands tasks over to a fleet of workers, which execute them against the
Layer API: each once, in the background, patiently. Enqueueing the same task
again, by --key or --id, is recognised and does nothing a second time.

Results go to standard output, everything else to standard error.
Exit codes: 0 done; 1 it failed; 2 wrong usage or wrong configuration.`,
		Example: `  # with a sandbox ("worker" with nothing configured) on this machine
  enqueue message --conversation 22222222-2222-4222-8222-222222222222 --from alice --text Hello --wait

  # with a fleet
  export REDIS_URL=rediss://:PASSWORD@redis.internal:6380/0
  enqueue bulk messages.ndjson`,
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(p.stderr)
			return errors.Join(cmd.Help(), usage("a command is missing"))
		},
	}
	// Before cobra's own commands are added, which look for them once.
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetVersionTemplate("enqueue {{.Version}}\n")
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	config.ProducerFlags(root.PersistentFlags())
	root.AddGroup(
		&cobra.Group{ID: groupTasks, Title: "Enqueue tasks:"},
		&cobra.Group{ID: groupLook, Title: "Look after them:"},
	)
	root.AddCommand(
		p.messageCommand(), p.announcementCommand(), p.blockCommand(), p.unblockCommand(), p.identityCommand(),
		p.conversationCommand(), p.taskCommand(), p.bulkCommand(),
		p.typesCommand(), p.statusCommand(), p.queuesCommand(),
	)
	p.finish(root)
	return root
}

// finish adds what all commands have in common.
func (p *program) finish(root *cobra.Command) {
	completions(root)
	root.DisableFlagsInUseLine = true
	root.Flags().SortFlags = false
	for _, cmd := range root.Commands() {
		cmd.Flags().SortFlags = false
		cmd.InheritedFlags().SortFlags = false
		cmd.DisableFlagsInUseLine = true
		if work := cmd.RunE; work != nil {
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				p.started = true
				return work(cmd, args)
			}
		}
	}
}

// usageTemplate is cobra's own without its repetitions.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if not .AllChildCommandsHaveGroup}}

{{if .HasParent}}Commands:{{else}}More:{{end}}{{range $cmds}}{{if and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 100 | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Everywhere (flag over environment over default):
{{.InheritedFlags.FlagUsagesWrapped 100 | trimTrailingWhitespaces}}{{end}}
`

// knownCommand refuses what is no command, with what was probably meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	problem := fmt.Sprintf("unknown command %q", args[0])
	if meant := nearest.To(args[0], names); meant != "" {
		problem += fmt.Sprintf(", did you mean %q?", meant)
	}
	return usage(problem)
}

// flagError adds to an unknown flag what was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage(err.Error())
	}
	if unknown.GetSpecifiedShortnames() != "" {
		return usage(fmt.Sprintf("unknown flag -%s: flags have two dashes", unknown.GetSpecifiedShortnames()))
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	problem := "unknown flag --" + unknown.GetSpecifiedName()
	if meant := nearest.To(unknown.GetSpecifiedName(), names); meant != "" {
		problem += fmt.Sprintf(", did you mean --%s?", meant)
	}
	return usage(problem)
}

// arguments takes at least least and as many as names arguments, and calls them by
// their names where there are fewer or more.
func arguments(least int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usage(fmt.Sprintf("%s is missing", names[len(args)]))
		case len(args) > len(names) && len(names) == 0:
			return usage(fmt.Sprintf("%s takes no argument, but %q was given", cmd.Name(), args[0]))
		case len(args) > len(names):
			return usage(fmt.Sprintf("%s takes %s, but %q was given as well", cmd.Name(), strings.Join(names, " and "), args[len(names)]))
		}
		return nil
	}
}
