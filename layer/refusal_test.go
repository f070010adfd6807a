package layer_test

import (
	"context"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
)

func TestWrongArgumentsAreNotSent(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(204, ""))
	c := f.client(t)
	for want, call := range map[string]func(context.Context) error{
		"external_unread_count: is -1, want 0 or more":                                       func(ctx context.Context) error { return c.Badges.Set(ctx, "ana", -1) },
		"session_ttl_in_seconds: is 29s, Layer takes whole seconds from 30 to 31536000":      func(ctx context.Context) error { return c.Sessions.SetTTL(ctx, 29*time.Second) },
		"session_ttl_in_seconds: is 1m0.001s, Layer takes whole seconds from 30 to 31536000": func(ctx context.Context) error { return c.Sessions.SetTTL(ctx, time.Minute+time.Millisecond) },
		"user: is missing or empty":                                                          func(ctx context.Context) error { return c.Users.Suspend(ctx, "") },
		"owner: is missing or empty":                                                         func(ctx context.Context) error { _, err := c.Blocks.List(ctx, ""); return err },
		"webhook: is missing":                                                                func(ctx context.Context) error { return c.Webhooks.Delete(ctx, layer.WebhookID{}) },
		"export: is missing":                                                                 func(ctx context.Context) error { return c.Exports.Delete(ctx, layer.ExportID{}) },
		"announcement: is missing": func(ctx context.Context) error {
			return c.Announcements.DeleteAsUser(ctx, "ana", layer.AnnouncementID{})
		},
		`type: is "seen", want delivery or read`: func(ctx context.Context) error { return c.Messages.SendReceiptAsUser(ctx, "ana", message, "seen") },
		"public_key: has 1024 bits, Layer takes 2048 or more": func(ctx context.Context) error {
			return c.Exports.SetSecurity(ctx, layer.ExportSecurity{PublicKey: weakKey})
		},
		"schedule.delay_in_seconds: is 0.5, Layer takes 1 to 300": func(ctx context.Context) error {
			_, err := c.Messages.Schedule(ctx, conv, dedupe, hello, layer.Schedule{Delay: 500 * time.Millisecond})
			return err
		},
		`operations[0].property: is "age", which an identity does not have`: func(ctx context.Context) error {
			return c.Identities.Edit(ctx, "ana", layer.Patch{}.Set("age", "7"))
		},
		`operations[0].property: is "suspended"; a block list has blocks`: func(ctx context.Context) error {
			return c.Blocks.Edit(ctx, "ana", layer.Patch{}.Set("suspended", true))
		},
	} {
		err := call(t.Context())
		fields := layer.FieldErrors(err)
		if len(fields) != 1 || fields[0].Error() != want || layer.Answered(err) || layer.IsTransient(err) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if len(f.seen()) != 0 {
		t.Error("something wrong was sent")
	}
}

func TestARefusalIsOneLine(t *testing.T) {
	t.Parallel()
	_, err := newFake(t, answer(204, "")).client(t).Messages.Send(t.Context(), layer.ConversationID{}, dedupe, layer.SendMessageRequest{})
	want := "layer: messages.send: conversation: is missing; sender: needs one of user_id and name; parts: is missing or empty"
	if err == nil || err.Error() != want || len(layer.FieldErrors(err)) != 3 {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// weakKey has 1024 bits, which crypto/rsa does not make any more.
const weakKey = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDVJmgeKtfn1NJyEDpfNVqqyEkM
GUbrYcRVvgDT+UMe87rhaxnlhOVFmkiKqNDR0CQMH3pDkO9zWGB57FEG78YBkyxs
UVWUAIEU9QvcrDgdtdEj0MxDGUaCYyCXzaSxXRC9u6YQSQONGK0JB/cp1/Lm8mIf
YcKtcxC/gX1TqBmCOQIDAQAB
-----END PUBLIC KEY-----
`
