package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeSetBadge is the type of [SetBadge]. Queued payloads outlive deploys: it is
// never renamed.
const TypeSetBadge = "badge:set"

// SetBadge sets what the application itself counts on a user's app icon, beside
// Layer's messages, and pushes it to the user's devices at once. The user need
// not be known to Layer.
//
// Performed again it sets the same number again.
//
// Layer docs: Platform API, users, badges.
type SetBadge struct {
	User string `json:"user" jsonschema:"minLength=1" jsonschema_description:"Whose badge it is."`
	// ExternalUnreadCount is a pointer, since 0 is a count and must be said.
	ExternalUnreadCount *int `json:"external_unread_count" jsonschema:"minimum=0" jsonschema_description:"What the application counts; 0 or more."`
}

// Type returns [TypeSetBadge].
func (SetBadge) Type() string { return TypeSetBadge }

// Validate reports a user id that Layer would refuse, and a count that is
// missing or negative.
func (t SetBadge) Validate() error {
	const field = "external_unread_count"
	var count error
	if t.ExternalUnreadCount == nil {
		count = wrong(field, "is missing")
	} else if *t.ExternalUnreadCount < 0 {
		count = wrong(field, "is %d, must be 0 or more", *t.ExternalUnreadCount)
	}
	return errors.Join(layer.ValidateUserID("user", t.User), count)
}

func (t SetBadge) lane() (kind, of string) { return "user", t.User }

func (t SetBadge) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	return Result{}, api.Badges.Set(ctx, t.User, *t.ExternalUnreadCount)
}
