package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeUpdateBlockList is the type of [UpdateBlockList]. Queued payloads outlive
// deploys: it is never renamed.
const TypeUpdateBlockList = "blocklist:update"

// UpdateBlockList changes many entries of a block list at once, by Layer-Patch
// operations on "blocks", in their order; a set replaces the list. Layer
// applies them a little later: a [BlockUser] or [UnblockUser] that follows in
// the lane may take effect before them.
//
// Performed again it makes the same changes again. What another writer changed
// in between is changed back.
//
// Layer docs: Platform API, block list, bulk changes.
type UpdateBlockList struct {
	Owner      string      `json:"owner" jsonschema:"minLength=1" jsonschema_description:"The user whose block list it is."`
	Operations layer.Patch `json:"operations" jsonschema:"minItems=1" jsonschema_description:"Layer-Patch: adds to, removes from or sets blocks."`
}

// Type returns [TypeUpdateBlockList].
func (UpdateBlockList) Type() string { return TypeUpdateBlockList }

// Validate reports every operation that does not fit a block list.
func (t UpdateBlockList) Validate() error {
	return errors.Join(layer.ValidateUserID("owner", t.Owner), below("operations", t.Operations.ValidateForBlocks()))
}

func (t UpdateBlockList) lane() (kind, of string) { return "blocks", t.Owner }

func (t UpdateBlockList) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Blocks.Edit(ctx, t.Owner, t.Operations)
}
