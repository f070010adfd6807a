package tasks

import (
	"context"

	"github.com/layerq/layerq/layer"
)

// TypeUnsuspendUser is the type of [UnsuspendUser]. Queued payloads outlive deploys: it
// is never renamed.
const TypeUnsuspendUser = "user:unsuspend"

// UnsuspendUser lets a user have sessions again. It takes up to 5 minutes to take
// effect.
//
// Performed again it changes nothing: a user who is not suspended stays so.
//
// Layer docs: Platform API, users, suspending users.
type UnsuspendUser struct {
	User string `json:"user" jsonschema:"minLength=1" jsonschema_description:"The user."`
}

// Type returns [TypeUnsuspendUser].
func (UnsuspendUser) Type() string { return TypeUnsuspendUser }

// Validate reports a user id that is empty, not UTF-8, or contains NUL.
func (t UnsuspendUser) Validate() error { return layer.ValidateUserID("user", t.User) }

func (t UnsuspendUser) lane() (kind, of string) { return "user", t.User }

func (t UnsuspendUser) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Users.Unsuspend(ctx, t.User)
}
