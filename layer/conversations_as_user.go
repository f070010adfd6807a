package layer

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/google/uuid"
)

// GetAsUser returns a conversation as a user sees it: with last message and unread
// count. Fails with [CodeNotFound] if the user never was in it, if it was deleted,
// and if Layer does not know the user.
//
// Layer docs: Platform API, conversations, retrieving a conversation.
//
//layer:operation GET /apps/:app/users/:user/conversations/:conversation
func (s *ConversationsService) GetAsUser(ctx context.Context, user string, id ConversationID) (*Conversation, error) {
	const operation = "conversations.get_as_user"
	if err := refuse(operation, ValidateUserID("user", user), missingID("conversation", id)); err != nil {
		return nil, err
	}
	var found Conversation
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet, into: &found,
		path: s.client.path("users", user, "conversations", id.UUID().String()),
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// SortBy is the order of a list of conversations.
type SortBy string

// The orders of conversations, newest first in both.
const (
	// SortByCreatedAt is the default.
	SortByCreatedAt SortBy = "created_at"
	// SortByLastMessage orders by the time of the last message, or of creation where
	// there is none. Items may be skipped or repeated between pages, since they
	// move.
	SortByLastMessage SortBy = "last_message"
)

// ConversationListOptions choose a page of conversations.
type ConversationListOptions struct {
	// PageSize is 1 to [MaxPageSize]; 0 is Layer's default of 100.
	PageSize int
	// FromID asks for what follows this conversation. Zero starts with the first.
	FromID ConversationID
	// SortBy is the order; empty is SortByCreatedAt.
	SortBy SortBy
}

func (o ConversationListOptions) query() (url.Values, error) {
	query, err := listQuery(o.PageSize, o.FromID.UUID())
	if err != nil {
		return nil, err
	}
	switch o.SortBy {
	case "":
	case SortByCreatedAt, SortByLastMessage:
		query.Set("sort_by", string(o.SortBy))
	default:
		return nil, &FieldError{Field: "sort_by", Problem: "is " + quote(string(o.SortBy)) + ", want created_at or last_message"}
	}
	return query, nil
}

// ListAsUser returns one page of a user's conversations, newest first. It has
// those too that the user was removed from, without participants. Fails with
// [CodeNotFound] if Layer does not know the user.
//
// Layer docs: Platform API, conversations, retrieving conversations.
//
//layer:operation GET /apps/:app/users/:user/conversations
func (s *ConversationsService) ListAsUser(ctx context.Context, user string, opts ConversationListOptions) (*Page[Conversation], error) {
	const operation = "conversations.list_as_user"
	query, wrong := opts.query()
	if err := refuse(operation, ValidateUserID("user", user), wrong); err != nil {
		return nil, err
	}
	var found listOf[Conversation, *Conversation]
	answer, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet, into: &found,
		path: s.client.path("users", user, "conversations"), query: query,
	})
	if err != nil {
		return nil, err
	}
	return pageOf(found.items, answer), nil
}

// PagesAsUser walks through a user's conversations page by page, from opts.FromID
// on. It asks for each page when it is wanted; an error ends it.
func (s *ConversationsService) PagesAsUser(ctx context.Context, user string, opts ConversationListOptions) iter.Seq2[*Page[Conversation], error] {
	return pages(ctx, opts.PageSize, opts.FromID.UUID(), (*Conversation).uuid, func(ctx context.Context, from uuid.UUID) (*Page[Conversation], error) {
		opts := opts
		opts.FromID = ConversationID(from)
		return s.ListAsUser(ctx, user, opts)
	})
}

// AllAsUser walks through a user's conversations one by one, like PagesAsUser.
func (s *ConversationsService) AllAsUser(ctx context.Context, user string, opts ConversationListOptions) iter.Seq2[*Conversation, error] {
	return items(s.PagesAsUser(ctx, user, opts))
}

// UserDelete is what [ConversationsService.DeleteAsUser] and [MessagesService.DeleteAsUser] do.
type UserDelete string

// What a user can do to be rid of a conversation.
const (
	// DeleteForUser takes it from the user's devices; a new message brings it back,
	// starting with that message.
	DeleteForUser UserDelete = "my_devices"
	// DeleteAndLeave takes the user out of the participants too.
	DeleteAndLeave UserDelete = "leave"
	// DeleteForEveryone destroys it for all participants.
	DeleteForEveryone UserDelete = "all_participants"
)

// DeleteAsUser deletes a conversation for one user, leaves it, or deletes it for
// all, as if the user had done it. Idempotent. Fails with [CodeNotFound] if the
// user is not in it.
//
// Layer docs: Client API, conversations, deleting a conversation.
//
//layer:operation DELETE /apps/:app/users/:user/conversations/:conversation
func (s *ConversationsService) DeleteAsUser(ctx context.Context, user string, id ConversationID, how UserDelete) error {
	const operation = "conversations.delete_as_user"
	query := url.Values{}
	var wrong problems
	switch how {
	case DeleteForUser:
		query.Set("mode", "my_devices")
		query.Set("leave", "false")
	case DeleteAndLeave:
		query.Set("mode", "my_devices")
		query.Set("leave", "true")
	case DeleteForEveryone:
		query.Set("mode", "all_participants")
	default:
		wrong.add("mode", "is %s, want my_devices, leave or all_participants", quote(string(how)))
	}
	if err := refuse(operation, ValidateUserID("user", user), missingID("conversation", id), wrong.err()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodDelete,
		path: s.client.path("users", user, "conversations", id.UUID().String()), query: query,
	})
	return err
}
