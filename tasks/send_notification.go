package tasks

import (
	"context"
	"errors"

	"github.com/layerq/layerq/layer"
)

// TypeSendNotification is the type of [SendNotification]. Queued payloads
// outlive deploys: it is never renamed.
const TypeSendNotification = "notification:send"

// SendNotification pushes a notification to users, without any message.
//
// Performed again it may push again: the dedupe UUID goes along, but Layer
// promises nothing for what it does not store. Use [Expires] for a push that is
// of no use later.
//
// Layer docs: Platform API, push notifications.
type SendNotification struct {
	Recipients   []string            `json:"recipients" jsonschema:"minItems=1,minLength=1" jsonschema_description:"User ids."`
	Notification *layer.Notification `json:"notification" jsonschema_description:"What they get."`
}

// Type returns [TypeSendNotification].
func (SendNotification) Type() string { return TypeSendNotification }

// Validate reports every field that Layer would refuse.
func (t SendNotification) Validate() error {
	if t.Notification == nil {
		return errors.Join(wrong("notification", "is missing"), t.request().Validate())
	}
	return t.request().Validate()
}

func (t SendNotification) request() layer.SendNotificationRequest {
	r := layer.SendNotificationRequest{Recipients: t.Recipients}
	if t.Notification != nil {
		r.Notification = *t.Notification
	}
	return r
}

func (t SendNotification) perform(ctx context.Context, api *layer.Client, id dedupe) (Result, error) {
	return Result{}, api.Notifications.Send(ctx, id.uuid(), t.request())
}
