package layer

import (
	"context"
	"net/http"
)

// BadgesService sets the numbers on users' app icons.
type BadgesService struct{ service }

// Badge is what the number on a user's app icon is made of.
type Badge struct {
	// ExternalUnreadCount is what the app itself counts, beside Layer's messages.
	ExternalUnreadCount     int `json:"external_unread_count"`
	UnreadConversationCount int `json:"unread_conversation_count"`
	UnreadMessageCount      int `json:"unread_message_count"`
}

// Get returns the counts of a user.
//
// Layer docs: Platform API, users, badges.
//
//layer:operation GET /apps/:app/users/:user/badge
func (s *BadgesService) Get(ctx context.Context, user string) (*Badge, error) {
	const operation = "badges.get"
	if err := refuse(operation, ValidateUserID("user", user)); err != nil {
		return nil, err
	}
	var found Badge
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodGet, path: s.client.path("users", user, "badge"), into: &found})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// Set sets the external unread count of a user, who need not be known to Layer,
// and pushes it to the user's devices at once. Idempotent.
//
// Layer docs: Platform API, users, badges.
//
//layer:operation PUT /apps/:app/users/:user/badge
func (s *BadgesService) Set(ctx context.Context, user string, externalUnreadCount int) error {
	const operation = "badges.set"
	var wrong problems
	if externalUnreadCount < 0 {
		wrong.add("external_unread_count", "is %d, want 0 or more", externalUnreadCount)
	}
	if err := refuse(operation, ValidateUserID("user", user), wrong.err()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPut, path: s.client.path("users", user, "badge"),
		body: struct {
			ExternalUnreadCount int `json:"external_unread_count"`
		}{externalUnreadCount},
	})
	return err
}
