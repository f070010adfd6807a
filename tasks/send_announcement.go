package tasks

import (
	"context"
	"errors"

	"github.com/invopop/jsonschema"

	"github.com/layerq/layerq/layer"
)

// TypeSendAnnouncement is the type of [SendAnnouncement]. Queued payloads
// outlive deploys: it is never renamed.
const TypeSendAnnouncement = "announcement:send"

// SendAnnouncement sends an announcement to users, outside any conversation.
// The sender has a name: Layer takes no user as the sender of an announcement.
// Its result has the AnnouncementID, which carries the task's UUID.
//
// Performed again it announces nothing a second time: Layer answers the
// announcement it has for the dedupe UUID.
//
// Layer docs: Platform API, announcements.
type SendAnnouncement struct {
	Recipients   []string            `json:"recipients" jsonschema:"minItems=1,minLength=1" jsonschema_description:"User ids."`
	Sender       layer.Sender        `json:"sender" jsonschema_description:"The name of the sending service."`
	Parts        []Part              `json:"parts" jsonschema:"minItems=1" jsonschema_description:"The content, in order."`
	Notification *layer.Notification `json:"notification,omitzero" jsonschema_description:"The push notification that goes with it."`
}

// Type returns [TypeSendAnnouncement].
func (SendAnnouncement) Type() string { return TypeSendAnnouncement }

// Validate reports every field that Layer would refuse.
func (t SendAnnouncement) Validate() error {
	var sources []error
	for i, p := range t.Parts {
		if p.Source != "" {
			sources = append(sources, wrong(partField(i, "source"), "is not allowed in an announcement; give a body of at most %d bytes", layer.MaxInlineBody))
		}
	}
	if err := errors.Join(sources...); err != nil {
		return err
	}
	return t.request().Validate()
}

// extendSchema leaves out the source of a part.
func (SendAnnouncement) extendSchema(s *jsonschema.Schema) {
	if parts, ok := s.Properties.Get("parts"); ok {
		parts.Items = inlinePartSchema()
	}
}

func (t SendAnnouncement) request() layer.SendAnnouncementRequest {
	return layer.SendAnnouncementRequest{
		Recipients: t.Recipients, Sender: t.Sender, Parts: inline(t.Parts), Notification: t.Notification,
	}
}

func (t SendAnnouncement) perform(ctx context.Context, api *layer.Client, id dedupe) (Result, error) {
	a, err := api.Announcements.Send(ctx, id.uuid(), t.request())
	if err != nil {
		return Result{}, err
	}
	return Result{AnnouncementID: a.ID}, nil
}
