package layer

import (
	"context"
	"iter"
	"net/http"

	"github.com/google/uuid"
)

// GetAsUser returns an announcement as one of its recipients sees it. Fails with
// [CodeNotFound] if the user got no such announcement, or deleted it.
//
// Layer docs: Client API, announcements, retrieving an announcement.
//
//layer:operation GET /apps/:app/users/:user/announcements/:announcement
func (s *AnnouncementsService) GetAsUser(ctx context.Context, user string, id AnnouncementID) (*Announcement, error) {
	const operation = "announcements.get_as_user"
	if err := refuse(operation, ValidateUserID("user", user), missingID("announcement", id)); err != nil {
		return nil, err
	}
	var found Announcement
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet, into: &found,
		path: s.client.path("users", user, "announcements", id.UUID().String()),
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// AnnouncementListOptions choose a page of announcements.
type AnnouncementListOptions struct {
	// PageSize is 1 to [MaxPageSize]; 0 is Layer's default of 100.
	PageSize int
	// FromID asks for what follows this announcement: the older ones. Zero starts
	// with the newest.
	FromID AnnouncementID
}

// ListAsUser returns one page of the announcements that a user got, newest first.
//
// Layer docs: Client API, announcements, retrieving announcements.
//
//layer:operation GET /apps/:app/users/:user/announcements
func (s *AnnouncementsService) ListAsUser(ctx context.Context, user string, opts AnnouncementListOptions) (*Page[Announcement], error) {
	const operation = "announcements.list_as_user"
	query, wrong := listQuery(opts.PageSize, opts.FromID.UUID())
	if err := refuse(operation, ValidateUserID("user", user), wrong); err != nil {
		return nil, err
	}
	var found listOf[Announcement, *Announcement]
	answer, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet, into: &found,
		path: s.client.path("users", user, "announcements"), query: query,
	})
	if err != nil {
		return nil, err
	}
	return pageOf(found.items, answer), nil
}

// PagesAsUser walks through the announcements that a user got page by page, newest
// first. It asks for each page when it is wanted; an error ends it.
func (s *AnnouncementsService) PagesAsUser(ctx context.Context, user string, opts AnnouncementListOptions) iter.Seq2[*Page[Announcement], error] {
	return pages(ctx, opts.PageSize, opts.FromID.UUID(), (*Announcement).uuid, func(ctx context.Context, from uuid.UUID) (*Page[Announcement], error) {
		return s.ListAsUser(ctx, user, AnnouncementListOptions{PageSize: opts.PageSize, FromID: AnnouncementID(from)})
	})
}

// AllAsUser walks through the announcements that a user got one by one, like
// PagesAsUser.
func (s *AnnouncementsService) AllAsUser(ctx context.Context, user string, opts AnnouncementListOptions) iter.Seq2[*Announcement, error] {
	return items(s.PagesAsUser(ctx, user, opts))
}

// SendReceiptAsUser marks an announcement as received or read by a user.
// Idempotent. Fails with [CodeNotFound] if the user got no such announcement.
//
// Layer docs: Client API, announcements, sending receipts.
//
//layer:operation POST /apps/:app/users/:user/announcements/:announcement/receipts
func (s *AnnouncementsService) SendReceiptAsUser(ctx context.Context, user string, id AnnouncementID, receipt Receipt) error {
	const operation = "announcements.send_receipt_as_user"
	if err := refuse(operation, ValidateUserID("user", user), missingID("announcement", id), receipt.validate()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost, repeatable: true, body: wireReceipt{receipt},
		path: s.client.path("users", user, "announcements", id.UUID().String(), "receipts"),
	})
	return err
}

// DeleteAsUser deletes an announcement for one user. Fails with [CodeNotFound] if
// the user got no such announcement, or deleted it.
//
// Layer docs: Client API, announcements, deleting an announcement.
//
//layer:operation DELETE /apps/:app/users/:user/announcements/:announcement
func (s *AnnouncementsService) DeleteAsUser(ctx context.Context, user string, id AnnouncementID) error {
	const operation = "announcements.delete_as_user"
	if err := refuse(operation, ValidateUserID("user", user), missingID("announcement", id)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodDelete,
		path: s.client.path("users", user, "announcements", id.UUID().String()),
	})
	return err
}
