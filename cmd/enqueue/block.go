package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/tasks"
)

func (p *program) blockCommand() *cobra.Command {
	var (
		common taskFlags
		block  blockFlags
	)
	cmd := &cobra.Command{
		Use:     "block --owner USER --user USER",
		Short:   "Put a user on the block list of another",
		Long:    `Put a user on the block list of another. Blocking a blocked user changes nothing.`,
		Example: `  enqueue block --owner alice --user mallory --wait`,
		Args:    console.Arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var wrong problems
			wrong.empty(cmd.Flags())
			return p.submit(cmd, &common, tasks.BlockUser{Owner: block.owner, User: block.user}, &wrong, blockNames)
		},
	}
	block.add(cmd.Flags(), "user to block")
	common.add(cmd)
	return cmd
}

func (p *program) unblockCommand() *cobra.Command {
	var (
		common taskFlags
		block  blockFlags
	)
	cmd := &cobra.Command{
		Use:     "unblock --owner USER --user USER",
		Short:   "Take a user off the block list of another",
		Long:    `Take a user off the block list of another. One who is not on it stays off it.`,
		Example: `  enqueue unblock --owner alice --user mallory`,
		Args:    console.Arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var wrong problems
			wrong.empty(cmd.Flags())
			return p.submit(cmd, &common, tasks.UnblockUser{Owner: block.owner, User: block.user}, &wrong, blockNames)
		},
	}
	block.add(cmd.Flags(), "user to take off the list")
	common.add(cmd)
	return cmd
}

// blockFlags is a place on a block list.
type blockFlags struct{ owner, user string }

func (b *blockFlags) add(flags *pflag.FlagSet, userUsage string) {
	textVar(flags, &b.owner, "owner", "USER", "user whose block list it is")
	textVar(flags, &b.user, "user", "USER", userUsage)
}

var blockNames = flagNames{"owner": "--owner", "user": "--user"}
