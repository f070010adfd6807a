package main

import (
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

func (p *program) messageCommand() *cobra.Command {
	var (
		common             taskFlags
		parts              parts
		conversation       string
		fromUser, fromName string
	)
	cmd := &cobra.Command{
		Use:   "message --conversation ID (--from USER | --name NAME) (--text TEXT | --part PART)...",
		Short: "Post a message to a conversation",
		Long: `Post a message to a conversation, from one of its participants or from a named
service. The parts have the order of the flags. A body has at most 2048 bytes.
What is larger comes from a file or a https: URL, and is sent as rich content:
  file=NAME  a file of at most 128 KiB travels in the task; a larger one is read
             by the worker, which must see it under the same path: set
             --source-dirs to its directory, here and at the workers
  url=URL    fetched by the worker; from public addresses alone, unless the
             worker is set otherwise`,
		Example: `  enqueue message --conversation 22222222-2222-4222-8222-222222222222 --from alice --text "Hello, Bob"
  enqueue message --conversation layer:///conversations/22222222-2222-4222-8222-222222222222 \
    --name "Harbour master" --text "Berth 4 is free" --part mime=application/json,body='{"berth":4}' \
    --push-text "Berth 4 is free" --key berth-4-2026-07-01 --expires 30m --wait
  enqueue message --conversation 22222222-2222-4222-8222-222222222222 --from alice --text "The plan of berth 4" \
    --part mime=image/png,file=berth4.png --part mime=application/pdf,url=https://harbour.example/plans/4.pdf`,
		Args: console.Arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var wrong problems
			wrong.empty(cmd.Flags())
			wrong.exclude(cmd.Flags(), "from", "name")
			if !cmd.Flags().Changed("from") && !cmd.Flags().Changed("name") {
				wrong.add("--from", "is missing: give it, or --name")
			}
			task := tasks.SendMessage{
				Conversation: conversationID(conversation, &wrong),
				Sender:       layer.Sender{UserID: fromUser, Name: fromName},
				Parts:        parts.tasks(&wrong),
				Notification: parts.push.notification(),
			}
			return p.submit(cmd, &common, task, &wrong, parts.names(flagNames{
				"conversation": "--conversation", "sender": "--from", "sender.user_id": "--from", "sender.name": "--name",
			}))
		},
	}
	flags := cmd.Flags()
	textVar(flags, &conversation, "conversation", "ID", "conversation, as UUID or layer:///conversations/UUID")
	textVar(flags, &fromUser, "from", "USER", "participant who sends it")
	textVar(flags, &fromName, "name", "NAME", "service that sends it, in place of --from")
	parts.add(flags, richForms)
	common.add(cmd)
	return cmd
}
