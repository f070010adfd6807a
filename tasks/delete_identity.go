package tasks

import (
	"context"

	"github.com/layerq/layerq/layer"
)

// TypeDeleteIdentity is the type of [DeleteIdentity]. Queued payloads outlive
// deploys: it is never renamed.
const TypeDeleteIdentity = "identity:delete"

// DeleteIdentity takes a user's identity away.
//
// Performed again it finds nothing: Layer answers [layer.CodeNotFound], as for a
// user who never had one. See [TookEffect].
//
// Layer docs: Platform API, identities, "Deleting an identity".
type DeleteIdentity struct {
	User string `json:"user" jsonschema:"minLength=1" jsonschema_description:"The user whose identity it is."`
}

// Type returns [TypeDeleteIdentity].
func (DeleteIdentity) Type() string { return TypeDeleteIdentity }

// Validate reports a user id that is empty, not UTF-8, or contains NUL.
func (t DeleteIdentity) Validate() error { return layer.ValidateUserID("user", t.User) }

func (t DeleteIdentity) lane() (kind, of string) { return "user", t.User }

func (t DeleteIdentity) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Identities.Delete(ctx, t.User)
}

func (t DeleteIdentity) tookEffect(err error) bool { return isGone(err) }
