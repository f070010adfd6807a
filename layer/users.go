package layer

import (
	"context"
	"net/http"
)

// UsersService reads and suspends users.
type UsersService struct{ service }

// User is a user of the app as Layer tells it.
type User struct {
	ID string `json:"id"`
	// Identity is nil if the user has none.
	Identity  *Identity `json:"identity"`
	Suspended bool      `json:"suspended"`
}

func (u *User) accept() error {
	if u.ID == "" {
		return errNoID
	}
	return nil
}

// Get returns a user. Fails with [CodeNotFound] if Layer does not know the user.
//
// Layer docs: Platform API, users, retrieving a user.
//
//layer:operation GET /apps/:app/users/:user
func (s *UsersService) Get(ctx context.Context, user string) (*User, error) {
	const operation = "users.get"
	if err := refuse(operation, ValidateUserID("user", user)); err != nil {
		return nil, err
	}
	var found User
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodGet, path: s.client.path("users", user), into: &found})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// Suspend ends a user's sessions and refuses new ones. It takes up to 5 minutes
// to take effect. Idempotent.
//
// Layer docs: Platform API, users, suspending users.
//
//layer:operation PATCH /apps/:app/users/:user
func (s *UsersService) Suspend(ctx context.Context, user string) error {
	return s.setSuspended(ctx, "users.suspend", user, true)
}

// Unsuspend lets a user have sessions again. It takes up to 5 minutes to take
// effect. Idempotent.
//
// Layer docs: Platform API, users, suspending users.
//
//layer:operation PATCH /apps/:app/users/:user
func (s *UsersService) Unsuspend(ctx context.Context, user string) error {
	return s.setSuspended(ctx, "users.unsuspend", user, false)
}

func (s *UsersService) setSuspended(ctx context.Context, operation, user string, suspended bool) error {
	if err := refuse(operation, ValidateUserID("user", user)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPatch, path: s.client.path("users", user),
		body: Patch{}.Set(propertySuspended, suspended),
	})
	return err
}
