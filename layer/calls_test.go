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
	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/golden"
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

func TestNotificationShapes(t *testing.T) {
	t.Parallel()
	full := layer.Notification{
		Title: "Harbour", Text: "tide is in", Sound: "bell.aiff",
		Recipients: layer.Overrides{{UserID: "boris", Text: "the tide is in, Boris"}, {UserID: "ana", Title: "t", Sound: "horn.aiff"}, {UserID: "chen"}},
		Category:   "tide", TitleLocKey: "TITLE", TitleLocArgs: []string{"a"}, LocKey: "TEXT", LocArgs: []string{"b", "c"}, ActionLocKey: "ACT",
		Data: map[string]any{"berth": 12, "nested": map[string]any{"a": nil}}, APNS: &layer.APNS{LaunchImage: "tide.png"},
	}
	for _, version := range []string{layer.Version10, layer.Version11} {
		f := newFake(t, answer(202, ""))
		c := f.client(t, layer.WithVersion(version))
		if err := c.Notifications.Send(t.Context(), uuid.Nil, layer.SendNotificationRequest{Recipients: []string{"ana", "boris", "chen"}, Notification: full}); err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		if err := json.Unmarshal([]byte(f.body(0)), &body); err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(body, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, "notification-"+version+".golden.json", append(text, '\n'))
	}
}

func TestOverridesAreReadFromBothShapes(t *testing.T) {
	t.Parallel()
	want := layer.Overrides{{UserID: "ana", Text: "x"}, {UserID: "boris", Title: "t", Sound: "s"}}
	for _, text := range []string{
		`{"recipients":{"boris":{"sound":"s","title":"t"},"ana":{"text":"x"}}}`,
		`{"recipients": [{"user_id":"ana","text":"x"},{"user_id":"boris","title":"t","sound":"s"}]}`,
	} {
		var n layer.Notification
		if err := json.Unmarshal([]byte(text), &n); err != nil || !cmp.Equal(n.Recipients, want) {
			t.Errorf("%s: %v, %v", text, n.Recipients, err)
		}
	}
	var n layer.Notification
	if err := json.Unmarshal([]byte(`{"recipients":null}`), &n); err != nil || n.Recipients != nil {
		t.Errorf("null: %v, %v", n.Recipients, err)
	}
	for _, wrong := range []string{`{"recipients":[{"user":"ana"}]}`, `{"recipients":{"ana":{"txt":"x"}}}`, `{"recipients":"ana"}`, `{"recipients":{"ana":"x"}}`} {
		if err := json.Unmarshal([]byte(wrong), &n); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestVerifyWebhook(t *testing.T) {
	t.Parallel()
	const signature = "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9" // of RFC 2104's well-known sentence
	body := []byte("The quick brown fox jumps over the lazy dog")
	if !layer.VerifyWebhook("key", body, signature) || !layer.VerifyWebhook("key", body, strings.ToUpper(signature)) {
		t.Error("a good signature is refused")
	}
	for _, wrong := range []string{"", "x", signature[2:], strings.Repeat("0", 40)} {
		if layer.VerifyWebhook("key", body, wrong) {
			t.Errorf("%q is taken", wrong)
		}
	}
	if layer.VerifyWebhook("other", body, signature) {
		t.Error("another key is taken")
	}
}

func TestUpsertIdentity(t *testing.T) {
	t.Parallel()
	made, exists, replaced := answer(201, ""), answer(409, `{"id":"conflict","code":108}`), answer(204, "")
	gone := answer(404, `{"id":"not_found","code":102}`)
	identity := layer.Identity{DisplayName: "Ana"}
	for name, c := range map[string]struct {
		f       *fake
		methods string
		code    layer.Code
	}{
		"a new one":                          {newFake(t, made), "POST", ""},
		"one that is there":                  {newFake(t, exists, replaced), "POST PUT", ""},
		"an id_in_use means the same":        {newFake(t, answer(409, `{"id":"id_in_use","code":111}`), replaced), "POST PUT", ""},
		"an empty 409 too":                   {newFake(t, answer(409, ""), replaced), "POST PUT", ""},
		"one that is deleted in between":     {newFake(t, exists, gone, made), "POST PUT POST", ""},
		"one whose answer was lost":          {newFake(t, cut, exists, replaced), "POST POST PUT", ""},
		"another writer who never gives way": {newFake(t, exists, gone, exists, gone, exists, gone), "POST PUT POST PUT POST PUT", layer.CodeNotFound},
		"a failure to create":                {newFake(t, answer(403, `{"id":"app_suspended"}`)), "POST", layer.CodeAppSuspended},
		"a failure to replace":               {newFake(t, exists, answer(403, `{"id":"app_suspended"}`)), "POST PUT", layer.CodeAppSuspended},
	} {
		err := c.f.client(t).Identities.Upsert(t.Context(), "ana", identity)
		var methods []string
		for _, r := range c.f.seen() {
			methods = append(methods, r.Method)
		}
		if got := strings.Join(methods, " "); got != c.methods || layer.CodeOf(err) != c.code || (err == nil) != (c.code == "") {
			t.Errorf("%s: %s, %v; want %s, %q", name, got, err, c.methods, c.code)
		}
	}
}
