package layer

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// AnnouncementsService sends messages to users outside of any conversation.
type AnnouncementsService struct{ service }

// Announcement is an announcement as Layer tells it. What depends on a user is
// there only when it was read as that user.
type Announcement struct {
	ID         AnnouncementID `json:"id"`
	URL        string         `json:"url"`
	SentAt     time.Time      `json:"sent_at"`
	Recipients []string       `json:"recipients"`
	Sender     Sender         `json:"sender"`
	Parts      []Part         `json:"parts"`

	// ReceiptsURL, ReceivedAt, Position and IsUnread are the user's; zero otherwise.
	ReceiptsURL string    `json:"receipts_url"`
	ReceivedAt  time.Time `json:"received_at"`
	Position    int64     `json:"position"`
	IsUnread    bool      `json:"is_unread"`
}

func (a *Announcement) accept() error {
	if a.ID.IsZero() {
		return errNoID
	}
	a.SentAt = a.SentAt.UTC()
	a.ReceivedAt = a.ReceivedAt.UTC()
	acceptParts(a.Parts)
	return nil
}

func (a *Announcement) uuid() uuid.UUID { return a.ID.UUID() }

// SendAnnouncementRequest describes an announcement to be sent.
type SendAnnouncementRequest struct {
	// Recipients are one or more user ids.
	Recipients []string `json:"recipients"`
	// Sender is a name; announcements come from no user.
	Sender Sender `json:"sender"`
	// Parts are one or more of at most 2 KB each, without uploaded content.
	Parts []Part `json:"parts"`
	// Notification is the push that goes along; nil pushes nothing.
	Notification *Notification `json:"notification,omitempty"`
}

// Validate checks recipients, sender, parts and notification.
func (r SendAnnouncementRequest) Validate() error {
	var p problems
	p.users("recipients", r.Recipients, 0)
	if r.Sender.UserID != "" {
		p.add("sender.user_id", "is not allowed in an announcement; give a name")
	} else {
		p.required("sender.name", r.Sender.Name)
	}
	if len(r.Parts) == 0 {
		p.add("parts", "is missing or empty")
	}
	for i, part := range r.Parts {
		p.nest(fmt.Sprintf("parts[%d]", i), part.validateForAnnouncement())
	}
	if r.Notification != nil {
		p.nest("notification", r.Notification.Validate())
	}
	return p.err()
}

// validateForAnnouncement is Validate where nothing can be uploaded instead.
func (p Part) validateForAnnouncement() error {
	list := p.validateShape()
	if p.Content != nil {
		list.add("content", "is not allowed in an announcement; parts hold at most %d bytes", MaxInlineBody)
	}
	if size, err := p.Bytes(); err == nil && len(size) > MaxInlineBody {
		list.add("body", "is %d bytes, an announcement takes at most %d", len(size), MaxInlineBody)
	}
	return list.err()
}

// wireAnnouncement is an announcement on its way to Layer.
type wireAnnouncement struct {
	Recipients []string `json:"recipients"`
	wireMessage
}

// Send announces something to users and returns the announcement as Layer
// accepted it; it is delivered a little later.
//
// The dedupe UUID becomes the announcement's id. Sending again with the same one
// returns the first announcement instead of making a second; with uuid.Nil
// every call makes a new one, and none is repeated on failure. Fails with
// [CodeServiceUnavailable] if Layer cannot queue it.
//
// Layer docs: Platform API, announcements, sending announcements.
//
//layer:operation POST /apps/:app/announcements
func (s *AnnouncementsService) Send(ctx context.Context, dedupe uuid.UUID, req SendAnnouncementRequest) (*Announcement, error) {
	const operation = "announcements.send"
	if err := refuse(operation, req.Validate()); err != nil {
		return nil, err
	}
	var made Announcement
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost, path: s.client.path("announcements"),
		dedupe: dedupe, into: &made,
		body: wireAnnouncement{req.Recipients, SendMessageRequest{req.Sender, req.Parts, req.Notification}.wire(s.client.version)},
	})
	if err != nil {
		return nil, err
	}
	return &made, nil
}
