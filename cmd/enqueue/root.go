package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/console"
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
		Version: version.String(),
		Args:    console.KnownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(p.stderr)
			return errors.Join(cmd.Help(), usage("a command is missing"))
		},
	}
	config.ProducerFlags(root.PersistentFlags())
	root.AddGroup(
		&cobra.Group{ID: groupTasks, Title: "Enqueue tasks:"},
		&cobra.Group{ID: groupLook, Title: "Look after them:"},
	)
	root.AddCommand(
		p.messageCommand(), p.announcementCommand(), p.blockCommand(), p.unblockCommand(), p.identityCommand(),
		p.conversationCommand(), p.taskCommand(), p.bulkCommand(),
		p.typesCommand(), p.statusCommand(), p.queuesCommand(), p.archivedCommand(), p.replayCommand(),
		p.cancelCommand(), p.deleteCommand(), p.pauseCommand(), p.resumeCommand(),
	)
	completions(root)
	return root
}
