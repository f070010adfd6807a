package layer

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// WebhooksService registers URLs of the app that Layer calls when something
// happens.
type WebhooksService struct{ service }

// WebhookStatus is whether Layer calls a webhook.
type WebhookStatus string

// The states of a webhook.
const (
	// WebhookUnverified is a new webhook that was not activated yet.
	WebhookUnverified WebhookStatus = "unverified"
	// WebhookActive gets events.
	WebhookActive WebhookStatus = "active"
	// WebhookInactive was deactivated, failed its verification, or failed to answer
	// for about 30 minutes; StatusReason says which.
	WebhookInactive WebhookStatus = "inactive"
)

// The events of version 1.0. Deletes are the global ones only.
const (
	EventMessageSent                     = "message.sent"
	EventMessageDelivered                = "message.delivered"
	EventMessageRead                     = "message.read"
	EventMessageDeleted                  = "message.deleted"
	EventConversationCreated             = "conversation.created"
	EventConversationUpdatedParticipants = "conversation.updated.participants"
	EventConversationUpdatedMetadata     = "conversation.updated.metadata"
	EventConversationDeleted             = "conversation.deleted"
)

// Webhook is a webhook as Layer tells it; the secret is never told.
type Webhook struct {
	ID           WebhookID     `json:"id"`
	URL          string        `json:"url"`
	Version      string        `json:"version"`
	TargetURL    string        `json:"target_url"`
	Events       []string      `json:"events"`
	Status       WebhookStatus `json:"status"`
	StatusReason string        `json:"status_reason"`
	CreatedAt    time.Time     `json:"created_at"`
	// Config is what the app gave, and what every delivery repeats.
	Config map[string]any `json:"config"`
}

func (w *Webhook) accept() error {
	if w.ID.IsZero() {
		return errNoID
	}
	w.CreatedAt = w.CreatedAt.UTC()
	return nil
}

// CreateWebhookRequest describes a webhook to be registered.
type CreateWebhookRequest struct {
	// Version of the deliveries; empty is "1.0".
	Version string `json:"version"`
	// TargetURL is the app's, with https.
	TargetURL string `json:"target_url"`
	// Events are one or more, such as [EventMessageSent].
	Events []string `json:"events"`
	// Secret is the key that deliveries are signed with: see [VerifyWebhook].
	Secret string `json:"secret"`
	// Config is optional.
	Config map[string]any `json:"config,omitempty"`
}

// Validate checks the URL's scheme, and that events and secret are there.
func (r CreateWebhookRequest) Validate() error {
	var p problems
	p.text("version", r.Version)
	if p.required("target_url", r.TargetURL) {
		if u, err := url.Parse(r.TargetURL); err != nil || u.Scheme != "https" || u.Host == "" {
			p.add("target_url", "is no https:// URL")
		}
	}
	if len(r.Events) == 0 {
		p.add("events", "is missing or empty")
	}
	for i, event := range r.Events {
		p.required(fmt.Sprintf("events[%d]", i), event)
	}
	p.required("secret", r.Secret)
	p.anyText("config", r.Config)
	return p.err()
}

// Create registers a webhook; it gets no events before it is activated. Layer
// makes the id itself, so a failed attempt is not repeated, and creating again
// registers another.
//
// Layer docs: Webhooks, registering.
//
//layer:operation POST /apps/:app/webhooks
func (s *WebhooksService) Create(ctx context.Context, req CreateWebhookRequest) (*Webhook, error) {
	const operation = "webhooks.create"
	if req.Version == "" {
		req.Version = Version10
	}
	if err := refuse(operation, req.Validate()); err != nil {
		return nil, err
	}
	var made Webhook
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost, path: s.client.path("webhooks"), accept: mediaWebhooks,
		body: req, into: &made,
	})
	if err != nil {
		return nil, err
	}
	return &made, nil
}

// Get returns a webhook. Fails with [CodeNotFound] if there is none.
//
// Layer docs: Webhooks, listing.
//
//layer:operation GET /apps/:app/webhooks/:webhook
func (s *WebhooksService) Get(ctx context.Context, id WebhookID) (*Webhook, error) {
	return s.one(ctx, &call{operation: "webhooks.get", method: http.MethodGet}, id)
}

// List returns the app's webhooks.
//
// Layer docs: Webhooks, listing.
//
//layer:operation GET /apps/:app/webhooks
func (s *WebhooksService) List(ctx context.Context) ([]*Webhook, error) {
	var found listOf[Webhook, *Webhook]
	_, err := s.client.do(ctx, &call{
		operation: "webhooks.list", method: http.MethodGet, path: s.client.path("webhooks"), accept: mediaWebhooks, into: &found,
	})
	if err != nil {
		return nil, err
	}
	return found.items, nil
}

// Activate makes Layer verify a webhook's target, and call it if it answers with
// the challenge. Idempotent. The status returned may still be unverified.
//
// Layer docs: Webhooks, activating.
//
//layer:operation POST /apps/:app/webhooks/:webhook/activate
func (s *WebhooksService) Activate(ctx context.Context, id WebhookID) (*Webhook, error) {
	return s.one(ctx, &call{operation: "webhooks.activate", method: http.MethodPost, repeatable: true}, id, "activate")
}

// Deactivate stops the deliveries of a webhook. Idempotent.
//
// Layer docs: Webhooks, deactivating.
//
//layer:operation POST /apps/:app/webhooks/:webhook/deactivate
func (s *WebhooksService) Deactivate(ctx context.Context, id WebhookID) (*Webhook, error) {
	return s.one(ctx, &call{operation: "webhooks.deactivate", method: http.MethodPost, repeatable: true}, id, "deactivate")
}

// Delete removes a webhook. Fails with [CodeNotFound] if there is none.
//
// Layer docs: Webhooks, deleting.
//
//layer:operation DELETE /apps/:app/webhooks/:webhook
func (s *WebhooksService) Delete(ctx context.Context, id WebhookID) error {
	const operation = "webhooks.delete"
	if err := refuse(operation, missingID("webhook", id)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodDelete, path: s.client.path("webhooks", id.String()), accept: mediaWebhooks,
	})
	return err
}

// one makes a call on one webhook that answers with it.
func (s *WebhooksService) one(ctx context.Context, call *call, id WebhookID, action ...string) (*Webhook, error) {
	if err := refuse(call.operation, missingID("webhook", id)); err != nil {
		return nil, err
	}
	var found Webhook
	call.path = s.client.path(append([]string{"webhooks", id.String()}, action...)...)
	call.accept, call.into = mediaWebhooks, &found
	if _, err := s.client.do(ctx, call); err != nil {
		return nil, err
	}
	return &found, nil
}
