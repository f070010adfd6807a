package layer_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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

// TestUnusableAnswers are those that say nothing certain: Layer may have done it
// or not. Each is an error that says what came, and each is worth repeating.
func TestUnusableAnswers(t *testing.T) {
	t.Parallel()
	html := answer(200, "<html>log in</html>", "Content-Type", "text/html; charset=utf-8")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   layer.Kind
		text   string
	}{
		"cut connection":         {cut, layer.KindCut, "the connection was cut before the answer was complete"},
		"half a success":         {half(201, helloAnswer), layer.KindCut, "201, but the connection was cut before the answer was complete"},
		"half a conflict":        {half(409, `{"id":"id_in_use","code":111,"data":`+helloAnswer+`}`), layer.KindCut, "409, but the connection was cut before the answer was complete"},
		"slow body":              {slow(201, helloAnswer), layer.KindTimeout, "201, but no complete answer in time: context deadline exceeded"},
		"no answer":              {silent, layer.KindTimeout, "no complete answer in time: context deadline exceeded"},
		"HTML":                   {html, layer.KindContentType, `200, but the answer is not JSON: Content-Type is "text/html"; is the base URL that of the API?`},
		"JSON as text":           {answer(201, helloAnswer, "Content-Type", "text/plain"), layer.KindContentType, `201, but the answer is not JSON: Content-Type is "text/plain"; is the base URL that of the API?`},
		"a body that ends early": {answer(201, helloAnswer[:30]), layer.KindBody, "201, but the answer cannot be read: it is no JSON from byte 30 on"},
		"an empty body":          {answer(201, ""), layer.KindBody, "201, but the answer cannot be read: it is empty"},
		"no content":             {answer(204, ""), layer.KindBody, "204, but the answer cannot be read: it is empty"},
		"another thing":          {answer(201, `{"id":"layer:///conversations/`+convUUID+`"}`), layer.KindBody, "201, but the answer cannot be read: a member is malformed"},
		"an empty object":        {answer(201, `{}`), layer.KindBody, "201, but the answer cannot be read: it has no id"},
		"null":                   {answer(201, `null`), layer.KindBody, "201, but the answer cannot be read: it has no id"},
		"a list":                 {answer(201, `[]`), layer.KindBody, `201, but the answer cannot be read: it is of type array`},
		"a member of other type": {answer(201, `{"id":"layer:///messages/`+otherUUID+`","parts":"private words"}`), layer.KindBody, `201, but the answer cannot be read: its member "parts" is of type string`},
		"too large":              {answer(201, `"`+strings.Repeat("x", 33<<20)+`"`), layer.KindTooLarge, "201, but the answer is too large"},
		"no HTTP":                {noHTTP, layer.KindCut, "the connection was cut before the answer was complete"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.answer)
			client := f.client(t, layer.WithTimeout(patience(c.kind)), layer.WithAttemptRetries(0))
			_, err := client.Messages.Send(t.Context(), conv, dedupe, hello)
			e, ok := errors.AsType[*layer.TransportError](err)
			if !ok || e.Kind != c.kind {
				t.Fatalf("got %v", err)
			}
			want := "layer: POST /apps/" + appUUID + "/conversations/" + convUUID + "/messages: " + c.text
			if err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			if !layer.IsTransient(err) || layer.Answered(err) || layer.CodeOf(err) != "" {
				t.Errorf("transient %v, answered %v, code %q", layer.IsTransient(err), layer.Answered(err), layer.CodeOf(err))
			}
			if c.kind == layer.KindTimeout && !errors.Is(err, context.DeadlineExceeded) {
				t.Error("a timeout is no DeadlineExceeded")
			}
		})
	}
}

// noHTTP answers with something else, in which the token is.
func noHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "SSH-2.0 "+r.Header.Get("Authorization")+"\r\n\r\n")
	_ = conn.Close()
}

func TestAnswersWithoutBody(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(204, ""), answer(202, ""), answer(200, `{"id":"whatever"}`), answer(200, "<html>", "Content-Type", "text/html"))
	c := f.client(t, layer.WithAttemptRetries(0))
	for range 3 {
		if err := c.Blocks.Block(t.Context(), "ana", "boris"); err != nil {
			t.Error(err)
		}
	}
	err := c.Blocks.Block(t.Context(), "ana", "boris")
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindContentType {
		t.Errorf("a page in place of an empty answer: %v", err)
	}
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   layer.Code
		text   string
	}{
		"JSON":             {answer(410, `{"id":"object_deleted","code":103,"message":"The referenced conversation has been deleted."}`), layer.CodeObjectDeleted, "410 object_deleted: The referenced conversation has been deleted."},
		"plain text":       {answer(404, "The requested resource could not be found.", "Content-Type", "text/plain; charset=UTF-8"), layer.CodeNotFound, "404 not_found: The requested resource could not be found."},
		"nothing":          {answer(404, ""), layer.CodeNotFound, "404 not_found"},
		"HTML":             {answer(502, "<html>nginx</html>", "Content-Type", "text/html"), "", "502 Bad Gateway"},
		"half":             {half(403, `{"id":"app_suspended","code":5,"message":"x","url":"and so on"}`), layer.CodeAppSuspended, "403 app_suspended; the app must be unsuspended first"},
		"half at once":     {half(410, "{}"), layer.CodeObjectDeleted, "410 object_deleted"},
		"very long":        {answer(400, strings.Repeat("x", 3<<20)), layer.CodeInvalidRequest, "400 invalid_request"},
		"the token":        {answer(400, `{"message":"bad header Bearer `+secret+`"}`), layer.CodeInvalidRequest, "400 invalid_request: (left out: it repeats the request)"},
		"what was sent":    {echo(400), layer.CodeInvalidRequest, "400 invalid_request: (left out: it repeats the request)"},
		"the words sent":   {answer(422, `{"id":"invalid_property","code":105,"message":"Bad body: tide is in"}`), layer.CodeInvalidProperty, "422 invalid_property: (left out: it repeats the request)"},
		"terminal escapes": {answer(400, "{\"message\":\"a\\u001b[31mb\\nc\"}"), layer.CodeInvalidRequest, "400 invalid_request: a [31mb c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.answer)
			_, err := f.client(t, layer.WithAttemptRetries(0)).Messages.Send(t.Context(), conv, dedupe, hello)
			if layer.CodeOf(err) != c.code || !layer.Answered(err) {
				t.Errorf("code %q of %v", layer.CodeOf(err), err)
			}
			if want := "layer: POST /apps/" + appUUID + "/conversations/" + convUUID + "/messages: " + c.text; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// echo answers with the request's body, as debugging servers do.
func echo(status int) http.HandlerFunc {
	return answer(status, `Bad Request: {"sender":{"name":"Harbour"},"parts":[{"mime_type":"text/plain","body":"tide is in"}]}`, "Content-Type", "text/plain")
}

func TestRedirectsKeepTheToken(t *testing.T) {
	t.Parallel()
	elsewhere := newFake(t, answer(200, helloAnswer))
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	c := f.client(t)
	_, sent := c.Messages.Send(t.Context(), conv, dedupe, hello)
	_, got := c.Messages.Get(t.Context(), conv, message)
	for _, err := range []error{sent, got} {
		e, ok := errors.AsType[*layer.Error](err)
		if !ok || e.Status != 307 || !strings.HasPrefix(e.Location, elsewhere.URL) || layer.IsTransient(err) {
			t.Errorf("got %v", err)
		}
	}
	if n := len(elsewhere.seen()); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := layer.New(app, secret, layer.WithBaseURL("http://"+address))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Messages.Get(t.Context(), conv, message)
	e, ok := errors.AsType[*layer.TransportError](err)
	if !ok || e.Kind != layer.KindConnect || !strings.Contains(err.Error(), address) || !layer.IsTransient(err) {
		t.Errorf("got %v", err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(answer(200, helloAnswer))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)

	stranger, err := layer.New(app, secret, layer.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.Messages.Get(t.Context(), conv, message)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindTLS || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}

	var protocol string
	friend, err := layer.New(app, secret, layer.WithBaseURL(server.URL), layer.WithHTTPClient(&http.Client{Transport: recording{server.Client().Transport, &protocol}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := friend.Messages.Get(t.Context(), conv, message); err != nil || protocol != "HTTP/2.0" {
		t.Errorf("over %s: %v", protocol, err)
	}
}

type recording struct {
	http.RoundTripper
	protocol *string
}

func (r recording) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(request)
	if err == nil {
		*r.protocol = response.Proto
	}
	return response, err
}

func TestPlainServerUnderHTTPS(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(200, helloAnswer))
	c := f.client(t, layer.WithBaseURL(strings.Replace(f.URL, "http:", "https:", 1)))
	_, err := c.Messages.Get(t.Context(), conv, message)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindTLS {
		t.Errorf("got %v", err)
	}
}

func TestCanceledByTheCaller(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) { close(asked); silent(w, r) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := f.client(t).Messages.Send(ctx, conv, dedupe, hello)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindCanceled || !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	f = newFake(t, silent)
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = f.client(t).Messages.Send(ctx, conv, dedupe, hello)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindCanceled || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline: %v", err)
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

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	connections := make(chan string, 1000)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case connections <- r.RemoteAddr:
		default:
		}
		switch r.Method {
		case http.MethodGet:
			answer(404, `{"id":"not_found","code":102}`)(w, r)
		case http.MethodDelete:
			answer(204, "")(w, r)
		default:
			answer(201, helloAnswer)(w, r)
		}
	})
	c := f.client(t)
	for range 30 {
		if _, err := c.Messages.Send(t.Context(), conv, dedupe, hello); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Messages.Get(t.Context(), conv, message); !errors.Is(err, layer.CodeNotFound) {
			t.Fatal(err)
		}
		if err := c.Messages.Delete(t.Context(), conv, message); err != nil {
			t.Fatal(err)
		}
	}
	close(connections)
	different := map[string]bool{}
	for address := range connections {
		different[address] = true
	}
	if len(different) != 1 {
		t.Errorf("%d connections for calls one after another", len(different))
	}
}
