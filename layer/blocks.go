package layer

import (
	"context"
	"net/http"
)

// BlocksService keeps users' block lists. Blocking is set up one way and works
// both ways: neither sees the other's messages, and nobody is told.
type BlocksService struct{ service }

// blockEntry is one user on a block list.
type blockEntry struct {
	UserID string `json:"user_id"`
}

// Block puts user on the block list of owner. Idempotent; neither need be known
// to Layer.
//
// Layer docs: Platform API, users, blocking users.
//
//layer:operation POST /apps/:app/users/:user/blocks
func (s *BlocksService) Block(ctx context.Context, owner, user string) error {
	const operation = "blocks.block"
	if err := refuse(operation, ValidateUserID("owner", owner), ValidateUserID("user", user)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost, path: s.client.path("users", owner, "blocks"),
		body: blockEntry{user}, repeatable: true,
	})
	return err
}

// List returns the users that owner blocks, in no particular order. It is empty
// for an owner that Layer does not know.
//
// Layer docs: Platform API, users, retrieving the block list.
//
//layer:operation GET /apps/:app/users/:user/blocks
func (s *BlocksService) List(ctx context.Context, owner string) ([]string, error) {
	const operation = "blocks.list"
	if err := refuse(operation, ValidateUserID("owner", owner)); err != nil {
		return nil, err
	}
	var found []blockEntry
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet, path: s.client.path("users", owner, "blocks"), into: &found,
	})
	if err != nil {
		return nil, err
	}
	users := make([]string, len(found))
	for i, entry := range found {
		users[i] = entry.UserID
	}
	return users, nil
}

// Edit changes a block list by any number of operations on "blocks": add, remove,
// and set, which replaces it. Idempotent. Layer applies them a little after it
// has accepted them.
//
// Layer docs: Platform API, users, modifying the block list in bulk.
//
//layer:operation PATCH /apps/:app/users/:user
func (s *BlocksService) Edit(ctx context.Context, owner string, patch Patch) error {
	const operation = "blocks.edit"
	if err := refuse(operation, ValidateUserID("owner", owner), inField("operations", patch.ValidateForBlocks())); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodPatch, path: s.client.path("users", owner), body: patch})
	return err
}

// Unblock takes user off the block list of owner. Idempotent: a user who is not
// on it is no error.
//
// Layer docs: Platform API, users, unblocking users.
//
//layer:operation DELETE /apps/:app/users/:user/blocks/:blocked
func (s *BlocksService) Unblock(ctx context.Context, owner, user string) error {
	const operation = "blocks.unblock"
	if err := refuse(operation, ValidateUserID("owner", owner), ValidateUserID("user", user)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodDelete, path: s.client.path("users", owner, "blocks", user),
	})
	return err
}
