package main

import (
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// completions tells the shells what may follow: names of queues and task types, and files where a
// command reads one.
func completions(root *cobra.Command) {
	complete(root, "log-format", "text", "json")
	complete(root, "log-level", "debug", "info", "warn", "error")
	for _, cmd := range root.Commands() {
		complete(cmd, "queue", queue.Names...)
		complete(cmd, "type", typeNames()...)
		switch cmd.Name() {
		case "task", "types":
			cmd.ValidArgsFunction = completeType
		case "pause", "resume":
			cmd.ValidArgsFunction = completeQueue
		case "bulk":
			cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
		}
	}
}

// complete offers words for a flag, where the command has it.
func complete(cmd *cobra.Command, flag string, words ...string) {
	if cmd.Flags().Lookup(flag) == nil && cmd.PersistentFlags().Lookup(flag) == nil {
		return
	}
	// It fails for a flag that does not exist, or has completions already.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

func completeQueue(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return queue.Names, cobra.ShellCompDirectiveNoFileComp
}

func completeType(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var words []string
	for _, info := range tasks.Types() {
		words = append(words, cobra.CompletionWithDesc(info.Type, info.Doc))
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
