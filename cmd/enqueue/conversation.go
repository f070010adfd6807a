package main

import (
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

func (p *program) conversationCommand() *cobra.Command {
	var (
		common       taskFlags
		participants []string
		distinct     bool
		extra        []string
	)
	cmd := &cobra.Command{
		Use:   "conversation --participants USER,... [--distinct] [--metadata K=V]...",
		Short: "Create a conversation",
		Long: `Create a conversation. With --distinct there is one for a set of participants: where
it exists already, its id is the result.

Metadata below metadata (nested objects) takes "enqueue task conversation:create".`,
		Example: `  enqueue conversation --participants alice,bob --metadata title="Berth 4" --wait --json
  enqueue conversation --participants alice,bob --distinct`,
		Args: console.Arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var wrong problems
			wrong.empty(cmd.Flags())
			task := tasks.CreateConversation{Participants: participants, Distinct: distinct, Metadata: layerMetadata(extra, &wrong)}
			return p.submit(cmd, &common, task, &wrong, flagNames{
				"participants": "--participants", "distinct": "--distinct", "metadata": "--metadata",
			})
		},
	}
	flags := cmd.Flags()
	flags.Var(users{&participants}, "participants", "users who take part, 25 at most; may be repeated")
	flags.BoolVar(&distinct, "distinct", false, "the only conversation of exactly these participants")
	flags.Var(pairs{&extra}, "metadata", "a fact about it; may be repeated")
	common.add(cmd)
	return cmd
}

// layerMetadata is nil where no flag was given: an empty map would be metadata too.
func layerMetadata(items []string, p *problems) layer.Metadata {
	m := metadata(items, p)
	if m == nil {
		return nil
	}
	wide := make(layer.Metadata, len(m))
	for k, v := range m {
		wide[k] = v
	}
	return wide
}
