package layer

import (
	"context"
	"net/http"
	"time"
)

// The bounds of the sessions' time to live.
const (
	MinSessionTTL = 30 * time.Second
	MaxSessionTTL = 365 * 24 * time.Hour
)

// SessionsService ends users' sessions and sets how long they live.
type SessionsService struct{ service }

// SetTTL sets how long the sessions of the app's users live: whole seconds from
// [MinSessionTTL] to [MaxSessionTTL]. Idempotent.
//
// Layer docs: Platform API, users, session time to live.
//
//layer:operation PATCH /apps/:app
func (s *SessionsService) SetTTL(ctx context.Context, ttl time.Duration) error {
	const operation = "sessions.set_ttl"
	var wrong problems
	if ttl < MinSessionTTL || ttl > MaxSessionTTL || ttl%time.Second != 0 {
		wrong.add(propertySessionTTL, "is %s, Layer takes whole seconds from 30 to 31536000", ttl)
	}
	if err := refuse(operation, wrong.err()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPatch, path: s.client.path(),
		body: Patch{}.Set(propertySessionTTL, int64(ttl/time.Second)),
	})
	return err
}

// Delete ends all sessions of a user, who has to authenticate again. Idempotent.
//
// Layer docs: Platform API, users, deleting sessions.
//
//layer:operation DELETE /apps/:app/users/:user/sessions
func (s *SessionsService) Delete(ctx context.Context, user string) error {
	const operation = "sessions.delete"
	if err := refuse(operation, ValidateUserID("user", user)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodDelete, path: s.client.path("users", user, "sessions")})
	return err
}
