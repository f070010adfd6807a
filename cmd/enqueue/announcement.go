package main

import (
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

func (p *program) announcementCommand() *cobra.Command {
	var (
		common taskFlags
		parts  parts
		to     []string
		name   string
	)
	cmd := &cobra.Command{
		Use:   "announcement --to USER,... --name NAME (--text TEXT | --part PART)...",
		Short: "Send an announcement to users",
		Long: `Send an announcement to users, outside any conversation. It comes from a named
service: Layer takes no user as its sender. Each part has at most 2048 bytes.`,
		Example: `  enqueue announcement --to alice,bob --name "Harbour master" --text "Storm warning from 18:00" \
    --push-text "Storm warning" --queue critical --expires 2026-07-01T18:00:00Z`,
		Args: console.Arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var wrong problems
			wrong.empty(cmd.Flags())
			task := tasks.SendAnnouncement{
				Recipients:   to,
				Sender:       layer.Sender{Name: name},
				Parts:        parts.tasks(&wrong),
				Notification: parts.push.notification(),
			}
			if !cmd.Flags().Changed("name") {
				wrong.add("--name", "is missing")
			}
			return p.submit(cmd, &common, task, &wrong, parts.names(flagNames{
				"recipients": "--to", "sender": "--name", "sender.name": "--name",
			}))
		},
	}
	flags := cmd.Flags()
	flags.Var(users{&to}, "to", "users who get it; may be repeated")
	textVar(flags, &name, "name", "NAME", "service that sends it")
	parts.add(flags, plainForms)
	common.add(cmd)
	return cmd
}
