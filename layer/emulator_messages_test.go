package layer_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestMessagesOfTheEmulator(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]layertest.Switches{"in March 2016": {}, "explicit nulls, base64 as sent": {ExplicitNulls: true, EchoBase64: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, c := emulated(t, switches)
			ctx, conversation := t.Context(), server.AddConversation("ana", "boris")
			binary := base64.StdEncoding.EncodeToString([]byte{0xff, 0xfe, 0x00})
			sent, err := c.Messages.Send(ctx, conversation, uuid.New(), layer.SendMessageRequest{
				Sender: layer.FromUser("ana"), Notification: &layer.Notification{Title: "t", Text: "x", Recipients: layer.Overrides{{UserID: "boris", Text: "y"}}},
				Parts: []layer.Part{layer.Text("tide is in"), {MIMEType: "application/x", Body: binary, Encoding: layer.EncodingBase64}},
			})
			if err != nil {
				t.Fatal(err)
			}
			want := &layer.Message{
				ID: sent.ID, Conversation: layer.ConversationRef{ID: conversation}, Sender: layer.FromUser("ana"), SentAt: sent.SentAt,
				Parts:           []layer.Part{layer.Text("tide is in"), {MIMEType: "application/x", Body: binary, Encoding: layer.EncodingBase64}},
				RecipientStatus: map[string]layer.RecipientStatus{"ana": layer.StatusRead, "boris": layer.StatusSent},
			}
			noURLs := cmp.Options{cmpopts.IgnoreFields(layer.Message{}, "URL", "ReceiptsURL"), cmpopts.IgnoreFields(layer.ConversationRef{}, "URL"), cmpopts.IgnoreFields(layer.Part{}, "ID")}
			if diff := cmp.Diff(want, sent, noURLs); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			got, err := c.Messages.Get(ctx, conversation, sent.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, noURLs); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			if got.Parts[1].ID != sent.ID.String()+"/parts/1" {
				t.Errorf("part id %s", got.Parts[1].ID)
			}
			if b, err := got.Parts[1].Bytes(); err != nil || !bytes.Equal(b, []byte{0xff, 0xfe, 0x00}) {
				t.Errorf("%x, %v", b, err)
			}
		})
	}
}

func TestMessageErrorsOfTheEmulator(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	ctx, conversation := t.Context(), server.AddConversation("ana", "boris")
	_, err := c.Messages.Send(ctx, conv, uuid.New(), hello)
	wantCode(t, err, layer.CodeNotFound)
	_, err = c.Messages.SendTextFromUser(ctx, conversation, uuid.New(), "stranger", "hi")
	wantCode(t, err, layer.CodeInvalidProperty)
	if e, ok := errors.AsType[*layer.Error](err); !ok || !strings.HasPrefix(e.Property, "sender") {
		t.Errorf("the property is not named: %v", err)
	}
	unknown := &layer.ContentRef{ID: contentID, Size: 5}
	_, err = c.Messages.Send(ctx, conversation, uuid.New(), layer.SendMessageRequest{Sender: layer.FromUser("ana"), Parts: []layer.Part{{MIMEType: "a/b", Content: unknown}}})
	wantCode(t, err, layer.CodeInvalidProperty)
	_, err = c.Messages.Get(ctx, conversation, message)
	wantCode(t, err, layer.CodeNotFound)
	_, err = c.Messages.List(ctx, conv, layer.ListOptions{})
	wantCode(t, err, layer.CodeNotFound)
	wantCode(t, c.Messages.Delete(ctx, conversation, message), layer.CodeNotFound)
	wantCode(t, c.Messages.SendReceiptAsUser(ctx, "ana", message, layer.ReceiptRead), layer.CodeNotFound)
	_, err = c.Content.Create(ctx, conv, uuid.New(), picture())
	wantCode(t, err, layer.CodeNotFound)
	_, err = c.Content.Refresh(ctx, conversation, contentID)
	wantCode(t, err, layer.CodeNotFound)
	if err := c.Conversations.Delete(ctx, conversation); err != nil {
		t.Fatal(err)
	}
	_, err = c.Messages.Send(ctx, conversation, uuid.New(), hello)
	wantCode(t, err, layer.CodeObjectDeleted)
}

func TestMessagesAsUserOfTheEmulator(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	ctx, conversation := t.Context(), server.AddConversation("ana", "b/b")
	var ids []layer.MessageID
	for _, text := range []string{"one", "two", "three"} {
		sent, err := c.Messages.SendTextFromUser(ctx, conversation, uuid.New(), "ana", text)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, sent.ID)
	}
	got, err := c.Messages.GetAsUser(ctx, "b/b", ids[1])
	if err != nil || !got.IsUnread || got.ReceivedAt.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	for _, receipt := range []layer.Receipt{layer.ReceiptDelivery, layer.ReceiptRead, layer.ReceiptDelivery} {
		if err := c.Messages.SendReceiptAsUser(ctx, "b/b", ids[1], receipt); err != nil {
			t.Error(err)
		}
	}
	got, err = c.Messages.GetAsUser(ctx, "b/b", ids[1])
	if err != nil || got.IsUnread || got.RecipientStatus["b/b"] != layer.StatusRead {
		t.Errorf("%+v, %v", got, err)
	}
	fourth, err := c.Messages.SendTextFromUser(ctx, conversation, uuid.New(), "ana", "four")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Messages.DeleteAsUser(ctx, "b/b", fourth.ID, layer.DeleteForUser); err != nil {
		t.Error(err)
	}
	_, err = c.Messages.GetAsUser(ctx, "b/b", fourth.ID)
	wantCode(t, err, layer.CodeNotFound)
	if _, err := c.Messages.GetAsUser(ctx, "ana", fourth.ID); err != nil {
		t.Errorf("deleted for one user, and for ana too: %v", err)
	}
	if err := c.Messages.DeleteAsUser(ctx, "ana", fourth.ID, layer.DeleteForEveryone); err != nil {
		t.Error(err)
	}
	if err := c.Messages.DeleteAsUser(ctx, "ana", ids[1], layer.DeleteAndLeave); err == nil {
		t.Error("leaving a message was not refused")
	}
	if err := c.Messages.Delete(ctx, conversation, ids[1]); err != nil {
		t.Error(err)
	}
	_, err = c.Messages.GetAsUser(ctx, "b/b", ids[1])
	wantCode(t, err, layer.CodeNotFound)
	var texts []string
	for m, err := range c.Messages.AllAsUser(ctx, "b/b", conversation, layer.ListOptions{PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, m.Parts[0].Body)
	}
	for page, err := range c.Messages.Pages(ctx, conversation, layer.ListOptions{PageSize: 1}) {
		if err != nil || page.Total != 2 {
			t.Fatalf("%+v, %v", page, err)
		}
		texts = append(texts, page.Items[0].Parts[0].Body)
	}
	if diff := cmp.Diff([]string{"three", "one", "three", "one"}, texts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScheduleOfTheEmulator(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	conversation, id := server.AddConversation("ana"), uuid.New()
	got, err := c.Messages.Schedule(t.Context(), conversation, id, hello, layer.Schedule{Delay: time.Minute, TypingIndicator: time.Second})
	if err != nil || got.ID.UUID() != id {
		t.Errorf("%+v, %v", got, err)
	}
	server.WantMessages(t, conversation)
}

func TestRichContentOfTheEmulator(t *testing.T) {
	t.Parallel()
	for name, conflict := range map[string]bool{"in memory": false, "with 409 for repetitions": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, c := emulated(t, layertest.Switches{DedupeConflict: conflict})
			ctx, conversation := t.Context(), server.AddConversation("ana")
			large := bytes.Repeat([]byte("0123456789"), 30_000)
			server.Fault(layertest.Rule{Status: 503, AfterCommit: true, Count: new(1)})
			server.Fault(layertest.Rule{Match: layertest.Match{Method: "PUT"}, Status: 503, AfterCommit: true, Count: new(1)})
			content, err := c.Content.Upload(ctx, conversation, uuid.New(), layer.UploadRequest{MIMEType: "image/png", Size: int64(len(large)), Body: bytes.NewReader(large)})
			if err != nil {
				t.Fatal(err)
			}
			sent, err := c.Messages.Send(ctx, conversation, uuid.New(), layer.SendMessageRequest{Sender: layer.FromUser("ana"), Parts: []layer.Part{content.Part("image/png")}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Messages.Get(ctx, conversation, sent.ID)
			if err != nil || got.Parts[0].Content == nil {
				t.Fatalf("%+v, %v", got, err)
			}
			refs := map[string]layer.ContentRef{"its part": *got.Parts[0].Content, "its id": {ID: content.ID}}
			for name, ref := range refs {
				if got := download(t, c, conversation, ref); !bytes.Equal(got, large) {
					t.Errorf("by %s: %d bytes", name, len(got))
				}
			}
		})
	}
}

func download(t *testing.T, c *layer.Client, conversation layer.ConversationID, ref layer.ContentRef) []byte {
	t.Helper()
	body, err := c.Content.Download(t.Context(), conversation, ref)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSendRichToTheEmulator(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	conversation, id := server.AddConversation("ana"), uuid.New()
	req := layer.SendMessageRequest{Sender: layer.FromUser("ana"), Parts: []layer.Part{layer.Text("small"), layer.Text(strings.Repeat("large", 1000))}}
	var sent *layer.Message
	for range 2 {
		var err error
		if sent, err = c.Messages.SendRich(t.Context(), conversation, id, req); err != nil {
			t.Fatal(err)
		}
	}
	page, err := c.Messages.List(t.Context(), conversation, layer.ListOptions{})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != sent.ID {
		t.Fatalf("%+v, %v", page, err)
	}
	if got := download(t, c, conversation, *page.Items[0].Parts[1].Content); string(got) != req.Parts[1].Body {
		t.Errorf("%d bytes", len(got))
	}
}
