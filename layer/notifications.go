package layer

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// NotificationsService sends push notifications that belong to no message.
type NotificationsService struct{ service }

// SendNotificationRequest describes a push notification to be sent alone.
type SendNotificationRequest struct {
	// Recipients are one or more user ids.
	Recipients []string `json:"recipients"`
	// Notification is what they get.
	Notification Notification `json:"notification"`
}

// Validate checks recipients and notification.
func (r SendNotificationRequest) Validate() error {
	var p problems
	p.users("recipients", r.Recipients, 0)
	p.nest("notification", r.Notification.Validate())
	return p.err()
}

// wireNotificationRequest is a notification on its way to Layer.
type wireNotificationRequest struct {
	Recipients   []string          `json:"recipients"`
	Notification *wireNotification `json:"notification"`
}

// Send pushes a notification to users; Layer delivers it a little later.
//
// The dedupe UUID goes along, but Layer documents de-duplication only for what is
// stored. So a failed attempt is not repeated, and sending again may push again.
//
// Layer docs: Platform API, push notifications.
//
//layer:operation POST /apps/:app/notifications
func (s *NotificationsService) Send(ctx context.Context, dedupe uuid.UUID, req SendNotificationRequest) error {
	const operation = "notifications.send"
	if err := refuse(operation, req.Validate()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost, path: s.client.path("notifications"),
		dedupe: dedupe, once: true,
		body: wireNotificationRequest{req.Recipients, req.Notification.forVersion(s.client.version)},
	})
	return err
}
