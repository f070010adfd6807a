package console

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// complete adds the commands help and completion.
func complete(root *cobra.Command) {
	example := "completion"
	for _, sub := range root.Commands() {
		if sub.IsAvailableCommand() {
			example = sub.Name()
			break
		}
	}
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.SetHelpCommand(helpCommand(root.Name(), example))
	root.InitDefaultHelpCmd() // adds it
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Use = "completion bash|zsh|fish|powershell"
		cmd.Short = "Print a script that makes a shell complete this command"
		cmd.Long = fmt.Sprintf("Print a script that makes a shell complete the commands, flags and values of %s.\nThe help of each shell says where the script goes.", root.Name())
		cmd.Example = fmt.Sprintf("  source <(%s completion bash)", root.Name())
		cmd.Args = KnownCommand
		cmd.RunE = func(*cobra.Command, []string) error {
			return Usage(errors.New("which shell is missing: bash, zsh, fish or powershell"))
		}
		for _, shell := range cmd.Commands() {
			shell.Example = fmt.Sprintf(shellExamples[shell.Name()], root.Name())
		}
	}
}

var shellExamples = map[string]string{
	"bash":       "  %[1]s completion bash > /etc/bash_completion.d/%[1]s",
	"zsh":        "  %[1]s completion zsh > \"${fpath[1]}/_%[1]s\"",
	"fish":       "  %[1]s completion fish > ~/.config/fish/completions/%[1]s.fish",
	"powershell": "  %[1]s completion powershell | Out-String | Invoke-Expression",
}
