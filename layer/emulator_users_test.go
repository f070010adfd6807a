package layer_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestAnnouncementsOfTheEmulator(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	ctx, id := t.Context(), uuid.New()
	req := layer.SendAnnouncementRequest{Recipients: []string{"ana", "b/b"}, Sender: hello.Sender, Parts: hello.Parts}
	for range 2 {
		sent, err := c.Announcements.Send(ctx, id, req)
		if err != nil || sent.ID.UUID() != id || len(sent.Recipients) != 2 {
			t.Fatalf("%+v, %v", sent, err)
		}
	}
	server.WantAnnouncements(t, "b/b", "tide is in")
	page, err := c.Announcements.ListAsUser(ctx, "b/b", layer.AnnouncementListOptions{})
	if err != nil || page.Total != 1 || page.Items[0].ID.UUID() != id || !page.Items[0].IsUnread {
		t.Fatalf("%+v, %v", page, err)
	}
	if err := c.Announcements.SendReceiptAsUser(ctx, "b/b", layer.AnnouncementID(id), layer.ReceiptRead); err != nil {
		t.Error(err)
	}
	got, err := c.Announcements.GetAsUser(ctx, "b/b", layer.AnnouncementID(id))
	if err != nil || got.IsUnread || got.Sender.Name != "Harbour" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.Announcements.DeleteAsUser(ctx, "b/b", layer.AnnouncementID(id)); err != nil {
		t.Error(err)
	}
	_, err = c.Announcements.GetAsUser(ctx, "b/b", layer.AnnouncementID(id))
	wantCode(t, err, layer.CodeNotFound)
	server.Fault(layertest.Rule{Status: 503})
	_, err = c.Announcements.Send(ctx, uuid.New(), req)
	wantCode(t, err, layer.CodeServiceUnavailable)
}

func TestNotificationsOfTheEmulator(t *testing.T) {
	t.Parallel()
	for _, version := range []string{layer.Version10, layer.Version11} {
		_, c := emulated(t, layertest.Switches{}, layer.WithVersion(version))
		err := c.Notifications.Send(t.Context(), uuid.New(), layer.SendNotificationRequest{
			Recipients: []string{"ana"}, Notification: layer.Notification{Text: "x", Recipients: layer.Overrides{{UserID: "ana", Sound: "bell"}}},
		})
		if err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
}

func TestBlocksOfTheEmulator(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	ctx, owner := t.Context(), "a/ü%+?.."
	for range 2 { // both are idempotent
		if err := c.Blocks.Block(ctx, owner, ".."); err != nil {
			t.Error(err)
		}
		if err := c.Blocks.Unblock(ctx, owner, "never blocked"); err != nil {
			t.Error(err)
		}
	}
	server.WantBlocks(t, owner, "..")
	if err := c.Blocks.Edit(ctx, owner, layer.Patch{}.Add("blocks", "%2F", "chen").Remove("blocks", "chen")); err != nil {
		t.Error(err)
	}
	got, err := c.Blocks.List(ctx, owner)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"%2F", ".."}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, user := range []string{"%2F", ".."} {
		if err := c.Blocks.Unblock(ctx, owner, user); err != nil {
			t.Error(err)
		}
	}
	server.WantBlocks(t, owner)
	if none, err := c.Blocks.List(ctx, "stranger"); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}

func TestIdentitiesOfTheEmulator(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]layertest.Switches{"in March 2016": {}, "other codes": {IdentityInUse: true, PutIdentityCreates: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, c := emulated(t, switches)
			ctx, ana := t.Context(), layer.Identity{DisplayName: "Ana", LastName: "Ives", Metadata: map[string]string{"berth": "12"}}
			_, err := c.Identities.Get(ctx, "ana")
			wantCode(t, err, layer.CodeNotFound)
			if err := c.Identities.Create(ctx, "ana", ana); err != nil {
				t.Fatal(err)
			}
			if err := c.Identities.Create(ctx, "ana", ana); !layer.IdentityExists(err) {
				t.Errorf("created twice: %v", err)
			}
			if got, err := c.Identities.Get(ctx, "ana"); err != nil || !cmp.Equal(got, &ana) {
				t.Errorf("%+v, %v", got, err)
			}
			if err := c.Identities.Edit(ctx, "ana", layer.Patch{}.Set("first_name", "Ana").Delete("last_name").Set("metadata.berth", "13")); err != nil {
				t.Error(err)
			}
			server.WantIdentity(t, "ana", map[string]string{"display_name": "Ana", "first_name": "Ana", "metadata.berth": "13"})
			for _, user := range []string{"ana", "boris"} {
				if err := c.Identities.Upsert(ctx, user, layer.Identity{DisplayName: "New"}); err != nil {
					t.Error(err)
				}
				server.WantIdentity(t, user, map[string]string{"display_name": "New"})
			}
			if err := c.Identities.Replace(ctx, "ana", ana); err != nil {
				t.Error(err)
			}
			if err := c.Identities.Delete(ctx, "ana"); err != nil {
				t.Error(err)
			}
			_, err = c.Identities.Get(ctx, "ana")
			wantCode(t, err, layer.CodeNotFound)
		})
	}
}

func TestUpsertAmongManyWriters(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	done := make(chan error)
	for range 20 {
		go func() { done <- c.Identities.Upsert(t.Context(), "ana", layer.Identity{DisplayName: "Ana"}) }()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	server.WantIdentity(t, "ana", map[string]string{"display_name": "Ana"})
}

func TestUsersOfTheEmulator(t *testing.T) {
	t.Parallel()
	_, c := emulated(t, layertest.Switches{})
	ctx := t.Context()
	_, err := c.Users.Get(ctx, "a/b")
	wantCode(t, err, layer.CodeNotFound)
	if err := c.Identities.Create(ctx, "a/b", layer.Identity{DisplayName: "Ana"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		suspend := c.Users.Unsuspend
		if want {
			suspend = c.Users.Suspend
		}
		if err := suspend(ctx, "a/b"); err != nil {
			t.Error(err)
		}
		got, err := c.Users.Get(ctx, "a/b")
		if err != nil || got.ID != "a/b" || got.Suspended != want || got.Identity.DisplayName != "Ana" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if err := c.Badges.Set(ctx, "a/b", 12); err != nil {
		t.Error(err)
	}
	if badge, err := c.Badges.Get(ctx, "a/b"); err != nil || badge.ExternalUnreadCount != 12 {
		t.Errorf("%+v, %v", badge, err)
	}
	if err := c.Sessions.Delete(ctx, "a/b"); err != nil {
		t.Error(err)
	}
	if err := c.Sessions.SetTTL(ctx, time.Hour); err != nil {
		t.Error(err)
	}
}

func TestWebhooksOfTheEmulator(t *testing.T) {
	t.Parallel()
	verified := make(chan bool, 10)
	target := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, r.FormValue("verification_challenge"))
			return
		}
		body, err := io.ReadAll(r.Body)
		verified <- err == nil && layer.VerifyWebhook("whisper", body, r.Header.Get(layer.HeaderWebhookSignature))
	}))
	t.Cleanup(target.Close)
	server := layertest.NewServer(t, layertest.WithConfig(layertest.Config{WebhookClient: target.Client()}))
	c, ctx := server.Client(t), t.Context()
	made, err := c.Webhooks.Create(ctx, layer.CreateWebhookRequest{TargetURL: target.URL, Events: []string{layer.EventMessageSent}, Secret: "whisper", Config: map[string]any{"a": "b"}})
	if err != nil || made.Status != layer.WebhookUnverified || made.Config["a"] != "b" {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := c.Webhooks.Activate(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	tick, deadline := time.NewTicker(5*time.Millisecond), time.After(5*time.Second)
	defer tick.Stop()
	for active := false; !active; {
		got, err := c.Webhooks.Get(ctx, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		active = got.Status == layer.WebhookActive
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not active: %+v", got)
		}
	}
	if _, err := c.Messages.Send(ctx, server.AddConversation("ana"), uuid.New(), hello); err != nil {
		t.Fatal(err)
	}
	select {
	case ok := <-verified:
		if !ok {
			t.Error("the signature is not right")
		}
	case <-deadline:
		t.Fatal("no delivery")
	}
	if got, err := c.Webhooks.Deactivate(ctx, made.ID); err != nil || got.Status != layer.WebhookInactive {
		t.Errorf("%+v, %v", got, err)
	}
	if all, err := c.Webhooks.List(ctx); err != nil || len(all) != 1 || all[0].ID != made.ID {
		t.Errorf("%+v, %v", all, err)
	}
	if err := c.Webhooks.Delete(ctx, made.ID); err != nil {
		t.Error(err)
	}
	_, err = c.Webhooks.Get(ctx, made.ID)
	wantCode(t, err, layer.CodeNotFound)
}

func TestExportsOfTheEmulator(t *testing.T) {
	t.Parallel()
	_, c := emulated(t, layertest.Switches{})
	ctx, key := t.Context(), rsaKey(t, 2048)
	if err := c.Exports.SetSecurity(ctx, layer.ExportSecurity{PublicKey: key}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Exports.GetSecurity(ctx); err != nil || got.PublicKey != key {
		t.Errorf("%+v, %v", got, err)
	}
	made, err := c.Exports.Create(ctx)
	if err != nil || made.Type != "historical" {
		t.Fatalf("%+v, %v", made, err)
	}
	if got, err := c.Exports.Get(ctx, made.ID); err != nil || got.ID != made.ID {
		t.Errorf("%+v, %v", got, err)
	}
	if all, err := c.Exports.List(ctx); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := c.Exports.Delete(ctx, made.ID); err != nil {
		t.Error(err)
	}
	_, err = c.Exports.Get(ctx, made.ID)
	wantCode(t, err, layer.CodeNotFound)
	if err := c.Exports.SetSchedule(ctx, layer.ExportSchedule{Interval: layer.ExportDaily}); err != nil {
		t.Error(err)
	}
	if got, err := c.Exports.GetSchedule(ctx); err != nil || got.Interval != layer.ExportDaily {
		t.Errorf("%+v, %v", got, err)
	}
}
