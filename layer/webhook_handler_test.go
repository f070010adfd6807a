package layer_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// TestWebhooksFromEndToEnd registers a webhook with the emulator, serves its
// target, and looks at what comes, a repetition after a failure included.
func TestWebhooksFromEndToEnd(t *testing.T) {
	t.Parallel()
	deliveries := make(chan *layer.WebhookDelivery, 10)
	failOnce := make(chan struct{}, 1)
	failOnce <- struct{}{}
	target := httptest.NewServer(layer.WebhookHandler("whisper", func(_ context.Context, d *layer.WebhookDelivery) error {
		deliveries <- d
		select {
		case <-failOnce:
			return errors.New("not now")
		default:
			return nil
		}
	}))
	t.Cleanup(target.Close)
	srv := layertest.NewServer(t, layertest.WithConfig(layertest.Config{Switches: layertest.Switches{HTTPWebhooks: true}}))
	c := srv.Client(t)
	register(t, srv, target.URL)
	hooks, err := c.Webhooks.List(t.Context())
	if err != nil || len(hooks) != 1 {
		t.Fatalf("%v, %v", hooks, err)
	}
	if hook, err := c.Webhooks.Activate(t.Context(), hooks[0].ID); err != nil || hook.Status != layer.WebhookActive {
		t.Fatalf("%+v, %v", hook, err)
	}
	made, err := c.Conversations.Create(t.Context(), uuid.New(), layer.CreateConversationRequest{Participants: []string{"ana"}})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := c.Messages.SendTextFromUser(t.Context(), made.ID, uuid.New(), "ana", "tide is in")
	if err != nil {
		t.Fatal(err)
	}
	first, again, message := <-deliveries, <-deliveries, <-deliveries
	if first.Event.Type != layer.EventConversationCreated || first.Conversation == nil || first.Conversation.ID != made.ID || first.Config["pier"] != "7" {
		t.Errorf("got %+v", first)
	}
	if first.RequestID == "" || again.RequestID != first.RequestID {
		t.Errorf("the repetition has the request id %q, not %q", again.RequestID, first.RequestID)
	}
	if diff := cmp.Diff(layer.WebhookEvent{Type: layer.EventMessageSent, Actor: layer.FromUser("ana"), ID: message.Event.ID, CreatedAt: message.Event.CreatedAt}, message.Event); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if message.Message == nil || message.Message.ID != sent.ID || message.Event.CreatedAt.IsZero() {
		t.Errorf("got %+v", message)
	}
}

// register registers a target without TLS, which the client's own check refuses.
func register(t *testing.T, srv *layertest.Server, target string) {
	t.Helper()
	body := fmt.Sprintf(`{"version":"1.0","target_url":%q,"events":["conversation.created","message.sent"],"secret":"whisper","config":{"pier":"7"}}`, target)
	r, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL()+"/apps/"+layertest.DefaultAppID+"/webhooks", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
	r.Header.Set("Accept", "application/vnd.layer.webhooks+json; version=1.0")
	response, err := srv.HTTPClient().Do(r)
	if err != nil || response.StatusCode != 201 {
		t.Fatalf("%v, %v", response, err)
	}
	_ = response.Body.Close()
}

func signed(body string) *http.Request {
	mac := hmac.New(sha1.New, []byte("whisper"))
	mac.Write([]byte(body))
	r := httptest.NewRequest("POST", "/hook", strings.NewReader(body))
	r.Header.Set(layer.HeaderWebhookSignature, hex.EncodeToString(mac.Sum(nil)))
	return r
}

func TestWebhookHandlerRefuses(t *testing.T) {
	t.Parallel()
	good := `{"event":{"type":"message.sent","id":"x","created_at":"2016-03-08T09:16:40+00:00","actor":{"name":"n"}},"message":` + helloAnswer + `,"new":1}`
	forged := signed(good)
	forged.Header.Set(layer.HeaderWebhookSignature, strings.Repeat("0", 40))
	unsigned := signed(good)
	unsigned.Header.Del(layer.HeaderWebhookSignature)
	for name, c := range map[string]struct {
		request *http.Request
		status  int
	}{
		"a delivery":             {signed(good), 204},
		"a forged one":           {forged, 401},
		"one without signature":  {unsigned, 401},
		"no JSON":                {signed(`{`), 400},
		"no event":               {signed(`{}`), 400},
		"a message without id":   {signed(`{"event":{"type":"message.sent"},"message":{}}`), 400},
		"one without bounds":     {signed(strings.Repeat(" ", 2<<20) + good), 413},
		"another method":         {httptest.NewRequest("PUT", "/hook", nil), 405},
		"a visit":                {httptest.NewRequest("GET", "/hook", nil), 404},
		"a challenge of scripts": {httptest.NewRequest("GET", "/hook?verification_challenge=%3Cscript%3E", nil), 200},
	} {
		calls := 0
		h := layer.WebhookHandler("whisper", func(context.Context, *layer.WebhookDelivery) error { calls++; return nil })
		w := httptest.NewRecorder()
		h.ServeHTTP(w, c.request)
		if w.Code != c.status || calls > 0 != (c.status == 204) {
			t.Errorf("%s: got %d with %d calls, want %d", name, w.Code, calls, c.status)
		}
		if c.status == 200 && (w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || w.Body.String() != "<script>") {
			t.Errorf("%s: %s %s", name, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

// FuzzParseWebhook reads what anybody may post, once it is signed.
func FuzzParseWebhook(f *testing.F) {
	f.Add(`{"event":{"type":"message.sent","actor":{"user_id":"ana"}},"message":` + helloAnswer + `}`)
	f.Add(`{"event":{"type":"conversation.created"},"conversation":` + conversationAnswer + `,"config":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		d, err := layer.ParseWebhook([]byte(body))
		if (d == nil) == (err == nil) {
			t.Errorf("got %v, %v", d, err)
		}
		if err == nil && d.Event.Type == "" {
			t.Error("it has no event")
		}
	})
}
