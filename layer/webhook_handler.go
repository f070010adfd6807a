package layer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxDelivery bounds what is read of a delivery: a message of a hundred parts.
const maxDelivery = 1 << 20

// WebhookDelivery is what Layer tells a webhook's target.
type WebhookDelivery struct {
	Event WebhookEvent `json:"event"`
	// Message or Conversation is what it is about, as the app reads it.
	Message      *Message      `json:"message"`
	Conversation *Conversation `json:"conversation"`
	// Config is what the webhook was registered with.
	Config map[string]any `json:"config"`

	// RequestID is the same on every repetition of the delivery.
	RequestID string `json:"-"`
}

// WebhookEvent is what happened.
type WebhookEvent struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"` // such as [EventMessageSent]
	CreatedAt time.Time `json:"created_at"`
	// Actor is who did it; only of messages, and empty where it was the app.
	Actor Sender `json:"actor"`
}

// ParseWebhook reads the body of a delivery, whose signature was checked with
// [VerifyWebhook]. Keys that it does not know are no error.
//
// Layer docs: Webhooks, payloads.
func ParseWebhook(body []byte) (*WebhookDelivery, error) {
	var d WebhookDelivery
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, fmt.Errorf("layer: webhook delivery: %s", describeJSON(err))
	}
	var err error
	switch {
	case d.Event.Type == "":
		err = errors.New("it has no event")
	case d.Message != nil:
		err = d.Message.accept()
	case d.Conversation != nil:
		err = d.Conversation.accept()
	}
	if err != nil {
		return nil, fmt.Errorf("layer: webhook delivery: %w", err)
	}
	d.Event.CreatedAt = d.Event.CreatedAt.UTC()
	return &d, nil
}

// WebhookHandler serves the target URL of webhooks that have this secret. It
// answers Layer's challenge when a webhook is verified, and hands each delivery
// to handle once its signature is right; 401 is for the others.
//
// Layer waits for a second, so handle must do no more than put the delivery
// somewhere safe. If it returns an error the answer is 500, and Layer repeats the
// delivery for about half an hour: the same event may come more than once, under
// the same RequestID. handle is called from many goroutines.
//
// Layer docs: Webhooks, verification; Webhooks, security.
func WebhookHandler(secret string, handle func(context.Context, *WebhookDelivery) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			answerChallenge(w, r)
		case http.MethodPost:
			w.WriteHeader(receive(w, r, secret, handle))
		default:
			w.Header().Set("Allow", "GET, POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
}

// answerChallenge repeats Layer's random text, as nothing but text.
func answerChallenge(w http.ResponseWriter, r *http.Request) {
	challenge := r.URL.Query().Get("verification_challenge")
	if challenge == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, challenge) //nolint:gosec // plain text for browsers, too; a caller who left is not verified
}

// receive takes one delivery, and gives the status to answer.
func receive(w http.ResponseWriter, r *http.Request, secret string, handle func(context.Context, *WebhookDelivery) error) int {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return http.StatusBadRequest
	}
	if !VerifyWebhook(secret, body, r.Header.Get(HeaderWebhookSignature)) {
		return http.StatusUnauthorized
	}
	delivery, err := ParseWebhook(body)
	if err != nil {
		return http.StatusBadRequest
	}
	delivery.RequestID = r.Header.Get(HeaderWebhookRequestID)
	if handle(r.Context(), delivery) != nil {
		return http.StatusInternalServerError
	}
	return http.StatusNoContent
}
