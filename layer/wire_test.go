package layer_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(201, helloAnswer))
	if _, err := f.client(t, layer.WithUserAgent("tests/1")).Messages.Send(t.Context(), conv, dedupe, hello); err != nil {
		t.Fatal(err)
	}
	r := f.seen()[0]
	if r.Method != http.MethodPost || r.RequestURI != "/apps/"+appUUID+"/conversations/"+convUUID+"/messages" {
		t.Errorf("%s %s", r.Method, r.RequestURI)
	}
	for name, want := range map[string]string{
		"Accept":        "application/vnd.layer+json; version=1.0",
		"Authorization": "Bearer " + secret,
		"Content-Type":  "application/json",
		"If-None-Match": otherUUID,
		"User-Agent":    "tests/1",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if want := `{"sender":{"name":"Harbour"},"parts":[{"mime_type":"text/plain","body":"tide is in"}]}`; f.body(0) != want {
		t.Errorf("body %s", f.body(0))
	}
}

func TestRequestsWithoutDedupeOrBody(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(201, helloAnswer), answer(200, helloAnswer), answer(204, ""))
	c := f.client(t, layer.WithVersion("1.1"))
	if _, err := c.Messages.Send(t.Context(), conv, uuid.Nil, hello); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Messages.Get(t.Context(), conv, message); err != nil {
		t.Fatal(err)
	}
	if err := c.Conversations.AddParticipants(t.Context(), conv, "ana"); err != nil {
		t.Fatal(err)
	}
	send, get, patch := f.seen()[0], f.seen()[1], f.seen()[2]
	if send.Header["If-None-Match"] != nil {
		t.Error("a send without dedupe UUID has If-None-Match")
	}
	if get.Header["Content-Type"] != nil || get.ContentLength != 0 || get.Header.Get("Accept") != "application/vnd.layer+json; version=1.1" {
		t.Errorf("GET: %v", get.Header)
	}
	if got := patch.Header.Get("Content-Type"); patch.Method != http.MethodPatch || got != "application/vnd.layer-patch+json" {
		t.Errorf("%s with %s", patch.Method, got)
	}
}

func TestUserIDsInPaths(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(204, ""))
	// The path before the API's survives, too.
	c := f.client(t, layer.WithBaseURL(f.URL+"/layer%2Fv1/"))
	for user, want := range map[string]string{
		"ana":        "ana",
		"a/b":        "a%2Fb",
		"ü":          "%C3%BC",
		"%":          "%25",
		"%2F":        "%252F",
		"..":         "%2E%2E",
		".":          "%2E",
		"...":        "...",
		"a.b":        "a.b",
		"a+b":        "a%2Bb",
		"a?b#c":      "a%3Fb%23c",
		"a b":        "a%20b",
		"a;b=c,d&e":  "a%3Bb%3Dc%2Cd%26e",
		"a:b@c":      "a%3Ab%40c",
		`a\b"<>|^{}`: "a%5Cb%22%3C%3E%7C%5E%7B%7D",
		"~-_":        "~-_",
		"🚢":          "%F0%9F%9A%A2",
		"\t\n":       "%09%0A",
		"../../x":    "..%2F..%2Fx",
	} {
		before := len(f.seen())
		if err := c.Blocks.Unblock(t.Context(), user, user); err != nil {
			t.Fatalf("%q: %v", user, err)
		}
		r := f.seen()[before]
		if got := "/layer%2Fv1/apps/" + appUUID + "/users/" + want + "/blocks/" + want; r.RequestURI != got {
			t.Errorf("%q: asked %s\nwant %s", user, r.RequestURI, got)
		}
		rest, _ := strings.CutPrefix(r.URL.Path, "/layer/v1/apps/"+appUUID+"/users/")
		if rest != user+"/blocks/"+user {
			t.Errorf("%q: the server decodes %q", user, rest)
		}
	}
	for _, wrong := range []string{"", "\xff", "a\x00"} {
		if err := c.Blocks.Block(t.Context(), "ana", wrong); len(layer.FieldErrors(err)) == 0 {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// TestReadsOfManyForms are the forms in which the service has told the same.
func TestReadsOfManyForms(t *testing.T) {
	t.Parallel()
	const content = "9f3a17d8-20be-4d65-8c41-e6b705c3fa12"
	f := newFake(t,
		answer(200, `{"id":"layer:///messages/`+otherUUID+`","url":"u","receipts_url":null,"position":null,"conversation":{"id":"layer:///conversations/`+convUUID+`","url":"c"},
			"parts":[{"id":"layer:///messages/`+otherUUID+`/parts/0","mime_type":"text/plain","body":"tide","encoding":null,"content":null},
			{"id":"p","mime_type":"image/png","body":null,"content":{"id":"layer:///content/`+content+`","size":7,"download_url":"d","refresh_url":"r","expiration":"2016-03-08T10:00:00+00:00"}},
			{"id":"p","mime_type":"image/png","content":{"id":"`+content+`","size":7,"download_url":null,"expiration":null}}],
			"sent_at":"2016-03-08T09:16:40.002Z","received_at":null,"sender":{"user_id":null,"name":"n"},"is_unread":null,"recipient_status":null,"notification":null,"new_key":{"x":[1]}}`),
		answer(200, `{"id":"`+otherUUID+`","position":15032697020,"is_unread":true,"received_at":"2016-03-08T11:00:00+02:00","sender":{"user_id":"ana"},"sent_at":"2016-03-08T09:16:40+00:00"}`),
	)
	c := f.client(t)
	at := time.Date(2016, 3, 8, 9, 16, 40, 2e6, time.UTC)
	cid, err := layer.ParseContentID(content)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []*layer.Message{
		{
			ID: message, URL: "u", Conversation: layer.ConversationRef{ID: conv, URL: "c"}, SentAt: at, Sender: layer.FromName("n"),
			Parts: []layer.Part{
				{ID: "layer:///messages/" + otherUUID + "/parts/0", MIMEType: "text/plain", Body: "tide"},
				{ID: "p", MIMEType: "image/png", Content: &layer.ContentRef{ID: cid, Size: 7, DownloadURL: "d", RefreshURL: "r", Expiration: time.Date(2016, 3, 8, 10, 0, 0, 0, time.UTC)}},
				{ID: "p", MIMEType: "image/png", Content: &layer.ContentRef{ID: cid, Size: 7}},
			},
		},
		{ID: message, Position: 15032697020, IsUnread: true, ReceivedAt: time.Date(2016, 3, 8, 9, 0, 0, 0, time.UTC), Sender: layer.FromUser("ana"), SentAt: at.Truncate(time.Second)},
	} {
		got, err := c.Messages.Get(t.Context(), conv, message)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d (-want +got):\n%s", i, diff)
		}
		if got.SentAt.Location() != time.UTC {
			t.Errorf("%d: sent_at is in %v", i, got.SentAt.Location())
		}
	}
}
