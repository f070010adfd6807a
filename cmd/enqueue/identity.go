package main

import (
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

func (p *program) identityCommand() *cobra.Command {
	var (
		common   taskFlags
		user     string
		identity layer.Identity
		extra    []string
	)
	cmd := &cobra.Command{
		Use:   "identity --user USER --display-name NAME [FLAGS]",
		Short: "Create or replace the identity of a user",
		Long: `Create the identity of a user or, where there is one, replace it as a whole: what
is not given is gone afterwards.`,
		Example: `  enqueue identity --user alice --display-name "Alice Meier" --first-name Alice --last-name Meier \
    --email-address alice@example.com --metadata team=harbour --metadata shift=night`,
		Args: console.Arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var wrong problems
			wrong.empty(cmd.Flags())
			identity.Metadata = metadata(extra, &wrong)
			return p.submit(cmd, &common, tasks.UpsertIdentity{User: user, Identity: identity}, &wrong, identityNames)
		},
	}
	flags := cmd.Flags()
	textVar(flags, &user, "user", "USER", "user whose identity it is")
	textVar(flags, &identity.DisplayName, "display-name", "NAME", "name that others see")
	textVar(flags, &identity.FirstName, "first-name", "NAME", "first name")
	textVar(flags, &identity.LastName, "last-name", "NAME", "last name")
	textVar(flags, &identity.EmailAddress, "email-address", "ADDR", "email address")
	textVar(flags, &identity.PhoneNumber, "phone-number", "NUMBER", "phone number")
	textVar(flags, &identity.AvatarURL, "avatar-url", "URL", "picture")
	textVar(flags, &identity.PublicKey, "public-key", "KEY", "public key")
	flags.Var(pairs{&extra}, "metadata", "any other fact; may be repeated")
	common.add(cmd)
	return cmd
}

var identityNames = flagNames{
	"user":                   "--user",
	"identity.display_name":  "--display-name",
	"identity.first_name":    "--first-name",
	"identity.last_name":     "--last-name",
	"identity.email_address": "--email-address",
	"identity.phone_number":  "--phone-number",
	"identity.avatar_url":    "--avatar-url",
	"identity.public_key":    "--public-key",
	"identity.metadata":      "--metadata",
}
