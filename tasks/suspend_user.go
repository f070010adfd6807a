package tasks

import (
	"context"

	"github.com/layerq/layerq/layer"
)

// TypeSuspendUser is the type of [SuspendUser]. Queued payloads outlive deploys: it
// is never renamed.
const TypeSuspendUser = "user:suspend"

// SuspendUser ends a user's sessions and refuses new ones. It takes up to 5
// minutes to take effect.
//
// Performed again it changes nothing: suspending a suspended user succeeds.
//
// Layer docs: Platform API, users, suspending users.
type SuspendUser struct {
	User string `json:"user" jsonschema:"minLength=1" jsonschema_description:"The user."`
}

// Type returns [TypeSuspendUser].
func (SuspendUser) Type() string { return TypeSuspendUser }

// Validate reports a user id that is empty, not UTF-8, or contains NUL.
func (t SuspendUser) Validate() error { return layer.ValidateUserID("user", t.User) }

func (t SuspendUser) lane() (kind, of string) { return "user", t.User }

func (t SuspendUser) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Users.Suspend(ctx, t.User)
}
