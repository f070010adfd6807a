package layer

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/google/uuid"
)

// GetAsUser returns a message as a user sees it: with position and read state.
// Fails with [CodeNotFound] if the user cannot see such a message, also once it
// was deleted.
//
// Layer docs: Platform API, messages, retrieving a message.
//
//layer:operation GET /apps/:app/users/:user/messages/:message
func (s *MessagesService) GetAsUser(ctx context.Context, user string, id MessageID) (*Message, error) {
	const operation = "messages.get_as_user"
	if err := refuse(operation, ValidateUserID("user", user), missingID("message", id)); err != nil {
		return nil, err
	}
	var found Message
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet, into: &found,
		path: s.client.path("users", user, "messages", id.UUID().String()),
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// ListAsUser returns one page of a conversation's messages as a user sees them,
// newest first, without those that the user deleted for itself.
//
// Layer docs: Platform API, messages, retrieving messages.
//
//layer:operation GET /apps/:app/users/:user/conversations/:conversation/messages
func (s *MessagesService) ListAsUser(ctx context.Context, user string, conversation ConversationID, opts ListOptions) (*Page[Message], error) {
	const operation = "messages.list_as_user"
	if err := refuse(operation, ValidateUserID("user", user), missingID("conversation", conversation)); err != nil {
		return nil, err
	}
	return s.list(ctx, operation, s.client.path("users", user, "conversations", conversation.UUID().String(), "messages"), opts)
}

// PagesAsUser walks through a conversation's messages as a user sees them, page by
// page, newest first, from opts.FromID on. It asks for each page when it is
// wanted; an error ends it.
func (s *MessagesService) PagesAsUser(ctx context.Context, user string, conversation ConversationID, opts ListOptions) iter.Seq2[*Page[Message], error] {
	return pages(ctx, opts.PageSize, opts.FromID.UUID(), (*Message).uuid, func(ctx context.Context, from uuid.UUID) (*Page[Message], error) {
		return s.ListAsUser(ctx, user, conversation, ListOptions{PageSize: opts.PageSize, FromID: MessageID(from)})
	})
}

// AllAsUser walks through a conversation's messages one by one, like PagesAsUser.
func (s *MessagesService) AllAsUser(ctx context.Context, user string, conversation ConversationID, opts ListOptions) iter.Seq2[*Message, error] {
	return items(s.PagesAsUser(ctx, user, conversation, opts))
}

// Receipt says how far a message got to a user.
type Receipt string

// The receipts.
const (
	// ReceiptDelivery does nothing after ReceiptRead.
	ReceiptDelivery Receipt = "delivery"
	// ReceiptRead cannot be undone; the first one lowers the unread counts.
	ReceiptRead Receipt = "read"
)

func (r Receipt) validate() error {
	if r != ReceiptDelivery && r != ReceiptRead {
		return &FieldError{Field: "type", Problem: "is " + quote(string(r)) + ", want delivery or read"}
	}
	return nil
}

// wireReceipt is a [Receipt] on its way to Layer.
type wireReceipt struct {
	Type Receipt `json:"type"`
}

// DeleteAsUser deletes a message for one user, or for all, as if the user had
// done it. how is [DeleteForUser] or [DeleteForEveryone]: nobody leaves a message.
// Repeating it fails with [CodeNotFound], as for a message that the user cannot see.
//
// Layer docs: Client API, messages, deleting a message.
//
//layer:operation DELETE /apps/:app/users/:user/messages/:message
func (s *MessagesService) DeleteAsUser(ctx context.Context, user string, id MessageID, how UserDelete) error {
	const operation = "messages.delete_as_user"
	var wrong problems
	if how != DeleteForUser && how != DeleteForEveryone {
		wrong.add("mode", "is %s, want my_devices or all_participants", quote(string(how)))
	}
	if err := refuse(operation, ValidateUserID("user", user), missingID("message", id), wrong.err()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodDelete, query: url.Values{"mode": {string(how)}},
		path: s.client.path("users", user, "messages", id.UUID().String()),
	})
	return err
}

// SendReceiptAsUser marks a message as received or read by a user, as if the user
// had done it. Idempotent. Fails with [CodeNotFound] if the user cannot see such
// a message.
//
// Layer docs: Client API, messages, sending receipts.
//
//layer:operation POST /apps/:app/users/:user/messages/:message/receipts
func (s *MessagesService) SendReceiptAsUser(ctx context.Context, user string, id MessageID, receipt Receipt) error {
	const operation = "messages.send_receipt_as_user"
	if err := refuse(operation, ValidateUserID("user", user), missingID("message", id), receipt.validate()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost, repeatable: true, body: wireReceipt{receipt},
		path: s.client.path("users", user, "messages", id.UUID().String(), "receipts"),
	})
	return err
}
