package layer

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what Layer signs with; HMAC does not need collision resistance
	"encoding/hex"
)

// Headers of a delivery to a webhook.
const (
	// HeaderWebhookSignature holds the signature that [VerifyWebhook] checks.
	HeaderWebhookSignature = "Layer-Webhook-Signature"
	// HeaderWebhookEventType holds the event, such as message.sent.
	HeaderWebhookEventType = "Layer-Webhook-Event-Type"
	// HeaderWebhookRequestID is the same on every retry of a delivery.
	HeaderWebhookRequestID = "Layer-Webhook-Request-Id"
	// HeaderWebhookID holds the webhook's id.
	HeaderWebhookID = "Layer-Webhook-Id"
)

// VerifyWebhook tells whether a delivery is from Layer: whether signature, the
// value of [HeaderWebhookSignature], is that of the raw body under the webhook's
// secret. The comparison takes the same time whatever the signature.
//
// Layer docs: Webhooks, security.
func VerifyWebhook(secret string, body []byte, signature string) bool {
	given, err := hex.DecodeString(signature)
	if err != nil {
		return false
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}
