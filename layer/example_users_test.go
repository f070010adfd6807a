package layer_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

func ExampleAnnouncementsService_Send() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()
	sent, err := api.Announcements.Send(ctx, uuid.New(), layer.SendAnnouncementRequest{
		Recipients:   []string{"ana", "chen"},
		Sender:       layer.FromName("Harbour master"),
		Parts:        []layer.Part{layer.Text("pier 7 closed")},
		Notification: &layer.Notification{Text: "pier 7 closed"},
	})
	if err != nil {
		panic(err)
	}
	got, err := api.Announcements.GetAsUser(ctx, "chen", sent.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(got.Sender.Name+":", got.Parts[0].Body)
	// Output: Harbour master: pier 7 closed
}

func ExampleNotificationsService_Send() {
	api, stop := serve()
	defer stop()
	err := api.Notifications.Send(context.Background(), uuid.New(), layer.SendNotificationRequest{
		Recipients:   []string{"ana", "boris"},
		Notification: layer.Notification{Text: "the ferry is late", Recipients: layer.Overrides{{UserID: "boris", Text: "your ferry is late"}}},
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleBlocksService_Block() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()
	if err := api.Blocks.Block(ctx, "ana", "boris"); err != nil {
		panic(err)
	}
	if err := api.Blocks.Edit(ctx, "ana", layer.Patch{}.Add("blocks", "chen", "dora").Remove("blocks", "boris")); err != nil {
		panic(err)
	}
	blocked, err := api.Blocks.List(ctx, "ana")
	if err != nil {
		panic(err)
	}
	slices.Sort(blocked)
	fmt.Println(blocked)
	// Output: [chen dora]
}

func ExampleIdentitiesService_Upsert() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()
	for _, name := range []string{"Ana", "Ana Ives"} { // created, then replaced
		if err := api.Identities.Upsert(ctx, "ana", layer.Identity{DisplayName: name, Metadata: map[string]string{"berth": "12"}}); err != nil {
			panic(err)
		}
	}
	if err := api.Identities.Edit(ctx, "ana", layer.Patch{}.Set("metadata.berth", "13").Set("last_name", "Ives")); err != nil {
		panic(err)
	}
	got, err := api.Identities.Get(ctx, "ana")
	if err != nil {
		panic(err)
	}
	fmt.Println(got.DisplayName, got.LastName, got.Metadata)
	// Output: Ana Ives Ives map[berth:13]
}

func ExampleBadgesService_Set() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()
	if err := api.Badges.Set(ctx, "ana", 12); err != nil {
		panic(err)
	}
	badge, err := api.Badges.Get(ctx, "ana")
	if err != nil {
		panic(err)
	}
	fmt.Println(badge.ExternalUnreadCount, badge.UnreadMessageCount)
	// Output: 12 0
}

func ExampleUsersService_Suspend() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()
	chat(api, "ana") // Layer knows her from here on
	if err := api.Users.Suspend(ctx, "ana"); err != nil {
		panic(err)
	}
	user, err := api.Users.Get(ctx, "ana")
	if err != nil {
		panic(err)
	}
	fmt.Println(user.ID, "suspended:", user.Suspended)
	// Output: ana suspended: true
}

func ExampleSessionsService_SetTTL() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()
	fmt.Println(api.Sessions.SetTTL(ctx, 24*time.Hour))
	fmt.Println(api.Sessions.Delete(ctx, "ana"))
	fmt.Println(api.Sessions.SetTTL(ctx, time.Second))
	// Output:
	// <nil>
	// <nil>
	// layer: sessions.set_ttl: session_ttl_in_seconds: is 1s, Layer takes whole seconds from 30 to 31536000
}

func ExampleWebhooksService_Create() {
	api, stop := serve()
	defer stop()
	webhook, err := api.Webhooks.Create(context.Background(), layer.CreateWebhookRequest{
		TargetURL: "https://app.example/layer",
		Events:    []string{layer.EventMessageSent, layer.EventConversationCreated},
		Secret:    "whisper",
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(webhook.TargetURL, webhook.Status) // until api.Webhooks.Activate
	// Output: https://app.example/layer unverified
}

func ExampleVerifyWebhook() {
	// What a handler gets: the raw body, and a header.
	body := []byte(`{"event":{"type":"message.sent"}}`)
	mac := hmac.New(sha1.New, []byte("whisper"))
	mac.Write(body)
	signature := hex.EncodeToString(mac.Sum(nil))

	fmt.Println(layer.VerifyWebhook("whisper", body, signature), layer.VerifyWebhook("whisper", append(body, '!'), signature))
	// Output: true false
}

func ExampleExportsService_SetSchedule() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()
	if err := api.Exports.SetSchedule(ctx, layer.ExportSchedule{Interval: layer.ExportDaily}); err != nil {
		panic(err)
	}
	schedule, err := api.Exports.GetSchedule(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println(schedule.Interval)
	// Output: daily
}

// A program that answers what users write.
func ExampleWebhookHandler() {
	hook := layer.WebhookHandler("whisper", func(_ context.Context, d *layer.WebhookDelivery) error {
		if d.Event.Type == layer.EventMessageSent && d.Event.Actor.UserID != "" {
			fmt.Println(d.Event.Actor.UserID, "wrote", d.Message.Parts[0].Body) // enqueue the answer here
		}
		return nil
	})

	const body = `{"event":{"type":"message.sent","id":"1","actor":{"user_id":"ana"}},"message":{
		"id":"layer:///messages/c25e8f04-93ab-4c77-b1de-58f06a1d2b39","parts":[{"mime_type":"text/plain","body":"is the tide in?"}]}}`
	delivery := httptest.NewRequest(http.MethodPost, "/layer", strings.NewReader(body))
	delivery.Header.Set(layer.HeaderWebhookSignature, "76995de5727224b7b7fbccc575e78345dfc72a7a")
	answer := httptest.NewRecorder()
	hook.ServeHTTP(answer, delivery)
	fmt.Println(answer.Code)
	// Output:
	// ana wrote is the tide in?
	// 204
}
