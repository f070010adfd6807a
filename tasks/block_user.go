package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeBlockUser is the type of [BlockUser]. Queued payloads outlive deploys:
// it is never renamed.
const TypeBlockUser = "user:block"

// BlockUser puts User on the block list of Owner. Neither needs to exist.
//
// Performed again it changes nothing: blocking a blocked user succeeds.
//
// Layer docs: Platform API, block list.
type BlockUser struct {
	Owner string `json:"owner" jsonschema:"minLength=1" jsonschema_description:"The user whose block list it is."`
	User  string `json:"user" jsonschema:"minLength=1" jsonschema_description:"The user to block."`
}

// Type returns [TypeBlockUser].
func (BlockUser) Type() string { return TypeBlockUser }

// Validate reports a user id that is empty, not UTF-8, or contains NUL.
func (t BlockUser) Validate() error {
	return errors.Join(layer.ValidateUserID("owner", t.Owner), layer.ValidateUserID("user", t.User))
}

func (t BlockUser) lane() (kind, of string) { return "blocks", t.Owner }

func (t BlockUser) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Blocks.Block(ctx, t.Owner, t.User)
}
