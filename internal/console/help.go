package console

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth keeps help readable on a terminal.
const helpWidth = 100

func init() { cobra.AddTemplateFunc("flagTable", flagTable) }

// usageTemplate is cobra's own without its repetitions.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if not .AllChildCommandsHaveGroup}}

{{if or .HasParent (not .Groups)}}Commands:{{else}}More:{{end}}{{range $cmds}}{{if and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{flagTable .LocalFlags}}{{end}}{{if .HasAvailableInheritedFlags}}

Everywhere (flag over environment over default):
{{flagTable .InheritedFlags}}{{end}}
`

// groupAnnotation puts a flag under a heading of its own.
const groupAnnotation = "layerq_group"

// Group has help show flags under a heading of their own, below the others.
func Group(flags *pflag.FlagSet, heading string) {
	flags.VisitAll(func(f *pflag.Flag) {
		f.Annotations = map[string][]string{groupAnnotation: {heading}}
	})
}

// flagTable lists flags, a line or more each.
func flagTable(flags *pflag.FlagSet) string {
	var headings []string
	groups := map[string]*pflag.FlagSet{}
	flags.VisitAll(func(f *pflag.Flag) {
		heading := ""
		if of := f.Annotations[groupAnnotation]; len(of) > 0 {
			heading = of[0]
		}
		if groups[heading] == nil {
			groups[heading] = pflag.NewFlagSet("", pflag.ContinueOnError)
			groups[heading].SortFlags = false
			headings = append(headings, heading)
		}
		groups[heading].AddFlag(shown(f))
	})
	var table strings.Builder
	for _, heading := range headings {
		if heading != "" {
			table.WriteString("\n" + heading + "\n")
		}
		table.WriteString(groups[heading].FlagUsagesWrapped(helpWidth))
	}
	return strings.TrimRight(table.String(), "\n")
}

// shown is a flag as help shows it. pflag writes --wait[=true|false] and
// --print-config text[="text"]; users write --wait and --print-config=json.
func shown(f *pflag.Flag) *pflag.Flag {
	if f.NoOptDefVal == "" {
		return f
	}
	as := *f
	as.Value = optional{f.Value}
	if name, usage := pflag.UnquoteUsage(f); name != "" {
		as.NoOptDefVal, as.Usage = name, usage
	}
	return &as
}

// optional is the value of a flag that may stand alone. Without IsBoolFlag pflag
// writes behind a "bool" what NoOptDefVal is, unless that is "true".
type optional struct{ pflag.Value }

// Type implements [pflag.Value].
func (optional) Type() string { return "bool" }

// finish gives all commands what they have in common.
func finish(root *cobra.Command, started *bool) {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetVersionTemplate(root.Name() + " {{.Version}}\n")
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(flagError)
	finishEach(root, started)
}

func finishEach(cmd *cobra.Command, started *bool) {
	cmd.Flags().SortFlags = false
	cmd.InheritedFlags().SortFlags = false
	cmd.DisableFlagsInUseLine = true
	if work := cmd.RunE; work != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*started = true
			return work(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		finishEach(sub, started)
	}
}

// helpCommand is cobra's, but refuses what is no command.
func helpCommand(name, example string) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show the help of a command",
		Long:    "Show the help of a command, as its flag --help does.",
		Example: "  " + name + " help " + example,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = KnownCommand(about, rest)
			}
			if err != nil {
				return Usage(errors.New(Printable(err.Error())))
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var words []string
			for _, sub := range cmd.Root().Commands() {
				if sub.IsAvailableCommand() {
					words = append(words, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
	}
}
