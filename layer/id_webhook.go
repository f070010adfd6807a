package layer

import (
	"strings"

	"github.com/google/uuid"
)

// WebhookID names a webhook of an app. Layer writes it as
// layer:///apps/APP/webhooks/UUID; the text form here is the bare UUID, since
// the app is the client's. Make one with [ParseWebhookID] or by conversion from
// a [uuid.UUID]. The zero value stands for a missing id.
type WebhookID uuid.UUID

// ParseWebhookID reads a webhook id: a bare UUID of any case, or
// layer:///apps/APP/webhooks/UUID. The error is a [*FieldError] for field
// "webhook".
func ParseWebhookID(s string) (WebhookID, error) {
	const want = "want a UUID or layer:///apps/APP/webhooks/UUID"
	bare := s
	if rest, isURL := strings.CutPrefix(s, scheme+"apps/"); isURL {
		app, tail, found := strings.Cut(rest, "/webhooks/")
		if _, err := uuid.Parse(app); err != nil || !found {
			return WebhookID{}, &FieldError{Field: "webhook", Problem: quote(s) + " is no webhook id; " + want}
		}
		bare = tail
	}
	id, err := parseUUID("webhook", bare, s, want)
	return WebhookID(id), err
}

// String gives the bare UUID, in lower case.
func (id WebhookID) String() string { return uuid.UUID(id).String() }

// UUID gives the bare UUID.
func (id WebhookID) UUID() uuid.UUID { return uuid.UUID(id) }

// IsZero tells whether the id is missing.
func (id WebhookID) IsZero() bool { return id == WebhookID{} }

// MarshalText gives what String gives, and nothing for a missing id.
func (id WebhookID) MarshalText() ([]byte, error) { return marshalID(uuid.UUID(id), id.String()) }

// UnmarshalText takes what [ParseWebhookID] takes.
func (id *WebhookID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseWebhookID(string(text))
	return err
}
