package layer_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer"
)

const (
	announcementAnswer = `{"id":"layer:///announcements/` + otherUUID + `","sent_at":"2016-03-08T10:00:00.118Z","recipients":["ana"],"sender":{"name":"Harbour"},"parts":[]}`
	contentAnswer      = `{"id":"layer:///content/` + otherUUID + `","size":7,"upload_url":"https://storage.example/u","download_url":null,"refresh_url":null,"expiration":null}`
	webhookAnswer      = `{"id":"layer:///apps/` + appUUID + `/webhooks/` + otherUUID + `","version":"1.0","target_url":"https://a.example","events":["message.sent"],"status":"unverified","created_at":"2016-03-08T10:00:00.118Z","config":{}}`
	exportAnswer       = `{"id":"` + otherUUID + `","type":"historical","status":"completed","created_at":"2016-03-08T10:00:00+00:00","started_at":null,"download_url":"https://storage.example/d","download_url_expiration":"2016-03-08T11:00:00Z"}`
)

// TestCalls holds each operation to its place on the wire: method, path, body,
// and the answer that it takes.
func TestCalls(t *testing.T) {
	t.Parallel()
	var (
		announcement = layer.AnnouncementID(dedupe)
		content      = layer.ContentID(dedupe)
		webhook      = layer.WebhookID(dedupe)
		export       = layer.ExportID(dedupe)
		key          = rsaKey(t, 2048)
	)
	encodedKey, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	type caller func(context.Context, *layer.Client) error
	for want, c := range map[string]struct {
		status int
		answer string
		call   caller
	}{
		"GET /conversations/" + convUUID: {200, conversationAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Conversations.Get(ctx, conv)
			return err
		}},
		"GET /users/a%2Fb/conversations/" + convUUID: {200, conversationAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Conversations.GetAsUser(ctx, "a/b", conv)
			return err
		}},
		"DELETE /conversations/" + convUUID: {204, "", func(ctx context.Context, c *layer.Client) error { return c.Conversations.Delete(ctx, conv) }},
		`POST /conversations/` + convUUID + `/messages {"sender":{"user_id":"ana"},"parts":[{"mime_type":"text/plain","body":"hi"}]}`: {201, helloAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Messages.SendTextFromUser(ctx, conv, dedupe, "ana", "hi")
			return err
		}},
		`POST /conversations/` + convUUID + `/messages {"sender":{"name":"n"},"parts":[{"mime_type":"text/plain","body":"hi"}]}`: {201, helloAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Messages.SendTextFromName(ctx, conv, dedupe, "n", "hi")
			return err
		}},
		`POST /conversations/` + convUUID + `/messages {"sender":{"name":"Harbour"},"parts":[{"mime_type":"text/plain","body":"tide is in"}],"schedule":{"delay_in_seconds":5,"typing_indicator_in_seconds":1.5}}`: {202, helloAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Messages.Schedule(ctx, conv, dedupe, hello, layer.Schedule{Delay: 5 * time.Second, TypingIndicator: 1500 * time.Millisecond})
			return err
		}},
		`POST /conversations/` + convUUID + `/messages {"sender":{"name":"n"},"parts":[{"mime_type":"image/png","content":{"id":"layer:///content/` + otherUUID + `","size":7}}]}`: {201, helloAnswer, func(ctx context.Context, c *layer.Client) error {
			// What a read adds to a part's content is not sent back.
			ref := &layer.ContentRef{ID: content, Size: 7, DownloadURL: "https://x.example", RefreshURL: "r", Expiration: time.Now()}
			_, err := c.Messages.Send(ctx, conv, dedupe, layer.SendMessageRequest{Sender: layer.FromName("n"), Parts: []layer.Part{{MIMEType: "image/png", Content: ref}}})
			return err
		}},
		"GET /conversations/" + convUUID + "/messages/" + otherUUID: {200, helloAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Messages.Get(ctx, conv, message)
			return err
		}},
		"GET /users/%2E%2E/messages/" + otherUUID: {200, helloAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Messages.GetAsUser(ctx, "..", message)
			return err
		}},
		"DELETE /conversations/" + convUUID + "/messages/" + otherUUID: {204, "", func(ctx context.Context, c *layer.Client) error {
			return c.Messages.Delete(ctx, conv, message)
		}},
		`POST /users/ana/messages/` + otherUUID + `/receipts {"type":"read"}`: {204, "", func(ctx context.Context, c *layer.Client) error {
			return c.Messages.SendReceiptAsUser(ctx, "ana", message, layer.ReceiptRead)
		}},
		`POST /conversations/` + convUUID + `/content`: {201, contentAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Content.Create(ctx, conv, dedupe, layer.UploadRequest{MIMEType: "image/png", Size: 7})
			return err
		}},
		"GET /conversations/" + convUUID + "/content/" + otherUUID: {200, strings.ReplaceAll(contentAnswer, "layer:///content/", ""), func(ctx context.Context, c *layer.Client) error {
			_, err := c.Content.Refresh(ctx, conv, content)
			return err
		}},
		`POST /announcements {"recipients":["ana"],"sender":{"name":"Harbour"},"parts":[{"mime_type":"text/plain","body":"tide is in"}],"notification":{"text":"hi"}}`: {202, announcementAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Announcements.Send(ctx, dedupe, layer.SendAnnouncementRequest{Recipients: []string{"ana"}, Sender: hello.Sender, Parts: hello.Parts, Notification: &layer.Notification{Text: "hi"}})
			return err
		}},
		"GET /users/ana/announcements/" + otherUUID: {200, announcementAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Announcements.GetAsUser(ctx, "ana", announcement)
			return err
		}},
		"DELETE /users/ana/announcements/" + otherUUID: {204, "", func(ctx context.Context, c *layer.Client) error {
			return c.Announcements.DeleteAsUser(ctx, "ana", announcement)
		}},
		`POST /users/ana/announcements/` + otherUUID + `/receipts {"type":"delivery"}`: {204, "", func(ctx context.Context, c *layer.Client) error {
			return c.Announcements.SendReceiptAsUser(ctx, "ana", announcement, layer.ReceiptDelivery)
		}},
		`POST /notifications {"recipients":["ana"],"notification":{"text":"hi","sound":"bell"}}`: {202, "", func(ctx context.Context, c *layer.Client) error {
			return c.Notifications.Send(ctx, dedupe, layer.SendNotificationRequest{Recipients: []string{"ana"}, Notification: layer.Notification{Text: "hi", Sound: "bell"}})
		}},
		`POST /users/ana/blocks {"user_id":"boris"}`: {204, "", func(ctx context.Context, c *layer.Client) error { return c.Blocks.Block(ctx, "ana", "boris") }},
		`PATCH /users/ana [{"operation":"set","property":"blocks","value":[]}]`: {202, "", func(ctx context.Context, c *layer.Client) error {
			return c.Blocks.Edit(ctx, "ana", layer.Patch{}.Set("blocks", []string{}))
		}},
		"DELETE /users/ana/blocks/a%2Bb": {204, "", func(ctx context.Context, c *layer.Client) error { return c.Blocks.Unblock(ctx, "ana", "a+b") }},
		`POST /users/ana/identity {"display_name":"Ana"}`: {201, "", func(ctx context.Context, c *layer.Client) error {
			return c.Identities.Create(ctx, "ana", layer.Identity{DisplayName: "Ana"})
		}},
		`PUT /users/ana/identity {"display_name":"Ana","metadata":{"berth":"12"}}`: {204, "", func(ctx context.Context, c *layer.Client) error {
			return c.Identities.Replace(ctx, "ana", layer.Identity{DisplayName: "Ana", Metadata: map[string]string{"berth": "12"}})
		}},
		`PATCH /users/ana/identity [{"operation":"set","property":"last_name","value":"Ives"}]`: {204, "", func(ctx context.Context, c *layer.Client) error {
			return c.Identities.Edit(ctx, "ana", layer.Patch{}.Set("last_name", "Ives"))
		}},
		"DELETE /users/ana/identity":                       {204, "", func(ctx context.Context, c *layer.Client) error { return c.Identities.Delete(ctx, "ana") }},
		`PUT /users/ana/badge {"external_unread_count":0}`: {204, "", func(ctx context.Context, c *layer.Client) error { return c.Badges.Set(ctx, "ana", 0) }},
		`PATCH /users/ana [{"operation":"set","property":"suspended","value":true}]`: {202, "", func(ctx context.Context, c *layer.Client) error {
			return c.Users.Suspend(ctx, "ana")
		}},
		`PATCH /users/ana [{"operation":"set","property":"suspended","value":false}]`: {202, "", func(ctx context.Context, c *layer.Client) error {
			return c.Users.Unsuspend(ctx, "ana")
		}},
		"DELETE /users/ana/sessions": {204, "", func(ctx context.Context, c *layer.Client) error { return c.Sessions.Delete(ctx, "ana") }},
		`PATCH  [{"operation":"set","property":"session_ttl_in_seconds","value":3600}]`: {202, "", func(ctx context.Context, c *layer.Client) error {
			return c.Sessions.SetTTL(ctx, time.Hour)
		}},
		`POST /webhooks {"version":"1.0","target_url":"https://a.example","events":["message.sent"],"secret":"whisper"}`: {201, webhookAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Webhooks.Create(ctx, layer.CreateWebhookRequest{TargetURL: "https://a.example", Events: []string{layer.EventMessageSent}, Secret: "whisper"})
			return err
		}},
		"GET /webhooks/" + otherUUID: {200, webhookAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Webhooks.Get(ctx, webhook)
			return err
		}},
		"POST /webhooks/" + otherUUID + "/activate": {200, webhookAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Webhooks.Activate(ctx, webhook)
			return err
		}},
		"POST /webhooks/" + otherUUID + "/deactivate": {200, webhookAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Webhooks.Deactivate(ctx, webhook)
			return err
		}},
		"DELETE /webhooks/" + otherUUID: {204, "", func(ctx context.Context, c *layer.Client) error { return c.Webhooks.Delete(ctx, webhook) }},
		"POST /exports": {202, exportAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Exports.Create(ctx)
			return err
		}},
		"GET /exports/" + otherUUID + "/status": {202, exportAnswer, func(ctx context.Context, c *layer.Client) error {
			_, err := c.Exports.Get(ctx, export)
			return err
		}},
		"DELETE /exports/" + otherUUID: {204, "", func(ctx context.Context, c *layer.Client) error { return c.Exports.Delete(ctx, export) }},
		`PUT /export_security {"public_key":` + string(encodedKey) + `}`: {200, "", func(ctx context.Context, c *layer.Client) error {
			return c.Exports.SetSecurity(ctx, layer.ExportSecurity{PublicKey: key})
		}},
		`PUT /export_schedule {"interval":"daily","events":["message.sent"]}`: {200, "{}", func(ctx context.Context, c *layer.Client) error {
			return c.Exports.SetSchedule(ctx, layer.ExportSchedule{Interval: layer.ExportDaily, Events: []string{"message.sent"}, LastExportAt: time.Now(), LastExportID: export})
		}},
	} {
		name, _, _ := strings.Cut(want, "{")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, answer(c.status, c.answer))
			if err := c.call(t.Context(), f.client(t)); err != nil {
				t.Fatal(err)
			}
			r := f.seen()[0]
			got := strings.TrimSpace(r.Method + " " + strings.TrimPrefix(r.RequestURI, "/apps/"+appUUID) + " " + f.body(0))
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			media := "application/vnd.layer+json; version=1.0"
			if strings.Contains(r.RequestURI, "/webhooks") {
				media = "application/vnd.layer.webhooks+json; version=1.0"
			}
			if accept := r.Header.Get("Accept"); accept != media {
				t.Errorf("accepts %s", accept)
			}
		})
	}
}

func rsaKey(t *testing.T, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestReadsOfOtherResources(t *testing.T) {
	t.Parallel()
	f := newFake(
		t,
		answer(200, `[{"user_id":"boris"},{"user_id":"a/b"}]`),
		answer(200, `{"display_name":"Ana","avatar_url":null,"metadata":{"berth":"12"},"id":"layer:///identities/ana"}`),
		answer(200, `{"external_unread_count":12,"unread_conversation_count":1,"unread_message_count":3}`),
		answer(200, `{"id":"ana","identity":{"display_name":"Ana"},"suspended":true}`),
		answer(200, `[`+webhookAnswer+`]`),
		answer(200, `[`+exportAnswer+`]`),
		answer(200, `{"public_key":"pem"}`),
		answer(200, `{"interval":"daily","last_export_at":"2016-03-08T10:00:00+00:00","last_export_id":null,"next_export_at":null}`),
		answer(202, ""),
	)
	c := f.client(t)
	at := time.Date(2016, 3, 8, 10, 0, 0, 0, time.UTC)
	for i, read := range []struct {
		want any
		read func() (any, error)
	}{
		{[]string{"boris", "a/b"}, func() (any, error) { return c.Blocks.List(t.Context(), "ana") }},
		{&layer.Identity{DisplayName: "Ana", Metadata: map[string]string{"berth": "12"}}, func() (any, error) { return c.Identities.Get(t.Context(), "ana") }},
		{&layer.Badge{ExternalUnreadCount: 12, UnreadConversationCount: 1, UnreadMessageCount: 3}, func() (any, error) { return c.Badges.Get(t.Context(), "ana") }},
		{&layer.User{ID: "ana", Identity: &layer.Identity{DisplayName: "Ana"}, Suspended: true}, func() (any, error) { return c.Users.Get(t.Context(), "ana") }},
		{[]*layer.Webhook{{ID: layer.WebhookID(dedupe), Version: "1.0", TargetURL: "https://a.example", Events: []string{"message.sent"}, Status: layer.WebhookUnverified, CreatedAt: at.Add(118 * time.Millisecond), Config: map[string]any{}}}, func() (any, error) { return c.Webhooks.List(t.Context()) }},
		{[]*layer.Export{{ID: layer.ExportID(dedupe), Type: "historical", Status: "completed", CreatedAt: at, DownloadURL: "https://storage.example/d", DownloadURLExpiresAt: at.Add(time.Hour)}}, func() (any, error) { return c.Exports.List(t.Context()) }},
		{&layer.ExportSecurity{PublicKey: "pem"}, func() (any, error) { return c.Exports.GetSecurity(t.Context()) }},
		{&layer.ExportSchedule{Interval: "daily", LastExportAt: at}, func() (any, error) { return c.Exports.GetSchedule(t.Context()) }},
		{&layer.Message{ID: message, Conversation: layer.ConversationRef{ID: conv}, Sender: hello.Sender, Parts: hello.Parts}, func() (any, error) {
			return c.Messages.Schedule(t.Context(), conv, dedupe, hello, layer.Schedule{Delay: time.Second})
		}},
	} {
		got, err := read.read()
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if diff := cmp.Diff(read.want, got); diff != "" {
			t.Errorf("%d (-want +got):\n%s", i, diff)
		}
	}
}
