package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeUpsertIdentity is the type of [UpsertIdentity]. Queued payloads outlive
// deploys: it is never renamed.
const TypeUpsertIdentity = "identity:upsert"

// UpsertIdentity creates the identity of a user or, where there is one,
// replaces it whole: a member left out is gone afterwards.
//
// Performed again it writes the same identity again.
//
// Layer docs: Platform API, identities.
type UpsertIdentity struct {
	User     string         `json:"user" jsonschema:"minLength=1" jsonschema_description:"The user whose identity it is."`
	Identity layer.Identity `json:"identity" jsonschema_description:"The whole identity; display_name is required."`
}

// Type returns [TypeUpsertIdentity].
func (UpsertIdentity) Type() string { return TypeUpsertIdentity }

// Validate reports every field that Layer would refuse.
func (t UpsertIdentity) Validate() error {
	return errors.Join(layer.ValidateUserID("user", t.User), below("identity", t.Identity.Validate()))
}

func (t UpsertIdentity) lane() (kind, of string) { return "user", t.User }

func (t UpsertIdentity) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Identities.Upsert(ctx, t.User, t.Identity)
}
