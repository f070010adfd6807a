package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeUnblockUser is the type of [UnblockUser]. Queued payloads outlive deploys:
// it is never renamed.
const TypeUnblockUser = "user:unblock"

// UnblockUser takes User off the block list of Owner. Neither needs to exist.
//
// Performed again it changes nothing: unblocking a user who is not blocked succeeds.
//
// Layer docs: Platform API, block list.
type UnblockUser struct {
	Owner string `json:"owner" jsonschema:"minLength=1" jsonschema_description:"The user whose block list it is."`
	User  string `json:"user" jsonschema:"minLength=1" jsonschema_description:"The user to unblock."`
}

// Type returns [TypeUnblockUser].
func (UnblockUser) Type() string { return TypeUnblockUser }

// Validate reports a user id that is empty, not UTF-8, or contains NUL.
func (t UnblockUser) Validate() error {
	return errors.Join(layer.ValidateUserID("owner", t.Owner), layer.ValidateUserID("user", t.User))
}

func (t UnblockUser) lane() (kind, of string) { return "blocks", t.Owner }

func (t UnblockUser) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Blocks.Unblock(ctx, t.Owner, t.User)
}
