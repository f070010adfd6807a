package layertest_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer/layertest"
)

const hooksJSON = "application/vnd.layer.webhooks+json; version=1.0"

// target is the other end of a webhook.
type target struct {
	*httptest.Server
	mu       sync.Mutex
	fail     int // deliveries to refuse
	mute     bool
	requests []*http.Request
	bodies   []string
}

func newTarget(t *testing.T) *target {
	t.Helper()
	tg := &target{}
	tg.Server = httptest.NewTLSServer(tg)
	t.Cleanup(tg.Close)
	return tg
}

// ServeHTTP answers the verification, and keeps deliveries.
func (tg *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	if r.Method == http.MethodGet {
		if tg.mute {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("verification_challenge"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	tg.requests, tg.bodies = append(tg.requests, r), append(tg.bodies, string(body))
	if tg.fail > 0 {
		tg.fail--
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (tg *target) got() ([]*http.Request, []string) {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	return tg.requests, tg.bodies
}

type webhookJSON struct {
	ID           string         `json:"id"`
	URL          string         `json:"url"`
	Status       string         `json:"status"`
	StatusReason string         `json:"status_reason"`
	Config       map[string]any `json:"config"`
	Secret       *string        `json:"secret"`
}

func (w *wire) hook(method, path, body string) (answer, webhookJSON) {
	w.t.Helper()
	a := w.do(method, app+"/webhooks"+path, body, "Accept", hooksJSON)
	var h webhookJSON
	if strings.HasPrefix(a.body, "{") {
		h = parse[webhookJSON](w.t, a.body)
	}
	return a, h
}

// until polls a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("timed out: %s", what)
		}
	}
}

func registration(url, events string) string {
	return `{"version":"1.0","target_url":"` + url + `","events":[` + events + `],"secret":"s3cret","config":{"k":"v"}}`
}

func TestWebhookFromVerificationToDelivery(t *testing.T) {
	t.Parallel()
	tg := newTarget(t)
	w := newWire(t, layertest.WithConfig(layertest.Config{WebhookClient: tg.Client()}))
	a, h := w.hook("POST", "", registration(tg.URL, `"message.sent","message.read","conversation.created","conversation.deleted"`))
	if a.status != 201 || h.Status != "unverified" || h.Secret != nil || h.Config["k"] != "v" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	id := h.ID[strings.LastIndex(h.ID, "/"):]
	if want := "layer://" + app + "/webhooks" + id; h.ID != want || h.URL != "https://api.layer.com"+app+"/webhooks"+id {
		t.Errorf("got id %s and url %s, want %s", h.ID, h.URL, want)
	}
	until(t, "the webhook is active", func() bool {
		_, h := w.hook("GET", id, "")
		return h.Status == "active"
	})
	tg.mu.Lock()
	tg.fail = 1
	tg.mu.Unlock()
	w.conversation()
	w.message(msg1, "one")
	w.do("PATCH", app+"/conversations/"+convA, `[{"operation":"add","property":"participants","value":"chen"}]`) // not subscribed
	w.do("POST", app+"/users/boris/messages/"+msg1+"/receipts", `{"type":"read"}`)
	w.do("DELETE", app+"/conversations/"+convA, "")
	until(t, "five deliveries", func() bool { _, bodies := tg.got(); return len(bodies) == 5 })
	requests, bodies := tg.got()
	var types []string
	for i, r := range requests {
		types = append(types, r.Header.Get("layer-webhook-event-type"))
		mac := hmac.New(sha1.New, []byte("s3cret"))
		mac.Write([]byte(bodies[i]))
		if got, want := r.Header.Get("layer-webhook-signature"), hex.EncodeToString(mac.Sum(nil)); got != want {
			t.Errorf("delivery %d is signed %s, want %s", i, got, want)
		}
		if r.Header.Get("Content-Type") != hooksJSON || r.Header.Get("User-Agent") != "layer-webhooks/1.0" || r.Header.Get("layer-webhook-id") != h.ID {
			t.Errorf("delivery %d has headers %v", i, r.Header)
		}
	}
	want := []string{"conversation.created", "conversation.created", "message.sent", "message.read", "conversation.deleted"}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if first, again := requests[0].Header.Get("layer-webhook-request-id"), requests[1].Header.Get("layer-webhook-request-id"); first != again {
		t.Errorf("the retry has request id %s, want %s again", again, first)
	}
	type payload struct {
		Event struct {
			Type  string            `json:"type"`
			Actor map[string]string `json:"actor"`
		} `json:"event"`
		Message      map[string]any    `json:"message"`
		Conversation map[string]any    `json:"conversation"`
		Config       map[string]string `json:"config"`
	}
	sent, deleted := parse[payload](t, bodies[2]), parse[payload](t, bodies[4])
	if sent.Event.Type != "message.sent" || sent.Event.Actor["user_id"] != "ana" || sent.Message["id"] != "layer:///messages/"+msg1 || sent.Config["k"] != "v" {
		t.Errorf("message.sent is %s", bodies[2])
	}
	if deleted.Conversation["id"] != "layer:///conversations/"+convA || deleted.Message != nil {
		t.Errorf("conversation.deleted is %s", bodies[4])
	}
	if _, h := w.hook("POST", id+"/deactivate", ""); h.Status != "inactive" {
		t.Errorf("after deactivation: %s", h.Status)
	}
	if a, _ := w.hook("DELETE", id, ""); a.status != 204 {
		t.Errorf("deleting: got %d", a.status)
	}
	if a, _ := w.hook("GET", id, ""); a.status != 404 {
		t.Errorf("after deleting: got %d", a.status)
	}
	if a, _ := w.hook("GET", "", ""); a.body != "[]" {
		t.Errorf("the list is %s", a.body)
	}
}

func TestWebhookBecomesInactive(t *testing.T) {
	t.Parallel()
	tg := newTarget(t)
	tg.mute = true
	w := newWire(t, layertest.WithConfig(layertest.Config{WebhookClient: tg.Client(), WebhookPatience: time.Millisecond}))
	_, h := w.hook("POST", "", registration(tg.URL, `"conversation.created"`))
	id := h.ID[strings.LastIndex(h.ID, "/"):]
	inactive := func(reason string) {
		t.Helper()
		until(t, "the webhook is inactive", func() bool {
			_, h := w.hook("GET", id, "")
			if h.Status == "inactive" && h.StatusReason != reason {
				t.Fatalf("got reason %q, want %q", h.StatusReason, reason)
			}
			return h.Status == "inactive"
		})
	}
	inactive("Verification failed due to unexpected response status: 404 Not Found")
	if a, h := w.hook("POST", id+"/activate", ""); a.status != 200 || h.Status != "inactive" || h.StatusReason == "" {
		t.Errorf("activating in vain: got %d %s, want 200 with the reason", a.status, a.body)
	}
	tg.mu.Lock()
	tg.mute, tg.fail = false, 100
	tg.mu.Unlock()
	if a, h := w.hook("POST", id+"/activate", ""); a.status != 200 || h.Status != "active" {
		t.Errorf("activating: got %d %s, want 200 and the webhook active", a.status, a.body)
	}
	w.conversation()
	inactive("Delivery failed: unexpected response status: 503 Service Unavailable")
}

func TestWebhooksAreRefused(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a, _ := w.hook("POST", "", "{}")
	want := `{"id":"missing_property","code":104,"message":"The version property cannot be omitted.","url":"https://developer.layer.com/docs/webhooks","data":{"property":"version"}}`
	if a.status != 422 || a.body != want {
		t.Errorf("got %d %s, want %s", a.status, a.body, want)
	}
	for property, body := range map[string]string{
		"target_url": registration("http://example.com", `"message.sent"`),
		"events":     registration("https://example.com", `"message.exploded"`),
		"config":     strings.Replace(registration("https://example.com", `"message.sent"`), `{"k":"v"}`, `"x"`, 1),
		"secret":     strings.Replace(registration("https://example.com", `"message.sent"`), `"s3cret"`, `null`, 1),
		"version":    strings.Replace(registration("https://example.com", `"message.sent"`), `"1.0"`, `"9"`, 1),
	} {
		if a, _ := w.hook("POST", "", body); a.status != 422 || !strings.Contains(a.body, `"property":"`+property+`"`) {
			t.Errorf("%s: got %d %s, want 422 for it", body, a.status, a.body)
		}
	}
	if a := w.do("GET", app+"/webhooks", ""); a.status != 406 || !strings.Contains(a.body, "webhooks+json") {
		t.Errorf("with the API's media type: got %d %s, want 406", a.status, a.body)
	}
}
