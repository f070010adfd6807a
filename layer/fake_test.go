package layer_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

const (
	appUUID   = "6c1f0d2e-8a44-4b7e-9d53-2f10a7c9e3b5"
	convUUID  = "0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610"
	otherUUID = "c25e8f04-93ab-4c77-b1de-58f06a1d2b39"
	secret    = "s3cret-t0ken"
)

var (
	app     = layer.AppID(uuid.MustParse(appUUID))
	conv    = layer.ConversationID(uuid.MustParse(convUUID))
	dedupe  = uuid.MustParse(otherUUID)
	message = layer.MessageID(dedupe)
)

// hello is a message that every check takes.
var hello = layer.SendMessageRequest{Sender: layer.FromName("Harbour"), Parts: []layer.Part{layer.Text("tide is in")}}

// helloAnswer is how Layer answers it.
const helloAnswer = `{"id":"layer:///messages/` + otherUUID + `","conversation":{"id":"layer:///conversations/` + convUUID + `"},` +
	`"parts":[{"mime_type":"text/plain","body":"tide is in"}],"sent_at":"2016-03-08T09:16:40.002Z","sender":{"name":"Harbour"},"recipient_status":{"ana":"sent"}}`

// fake is a server that answers what a test tells it to, and remembers what it
// was asked.
type fake struct {
	*httptest.Server

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

// newFake serves the given answers in turn, the last one for ever, and gives a
// client for it.
func newFake(t testing.TB, answers ...http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		f.mu.Lock()
		f.requests, f.bodies = append(f.requests, r), append(f.bodies, string(body))
		answer := answers[min(len(f.requests), len(answers))-1]
		f.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) client(t testing.TB, opts ...layer.Option) *layer.Client {
	t.Helper()
	opts = append([]layer.Option{layer.WithBaseURL(f.URL)}, opts...)
	c, err := layer.New(app, secret, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// seen gives the requests so far.
func (f *fake) seen() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

func (f *fake) body(i int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bodies[i]
}

// answer is a plain answer; headers are pairs.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// half announces a body and cuts the connection in the middle of it.
func half(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// slow sends a body of which the end does not come in time.
func slow(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// silent never answers.
func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// newBenchServer serves one answer and remembers nothing.
func newBenchServer(b *testing.B, answer http.HandlerFunc) *fake {
	b.Helper()
	f := &fake{Server: httptest.NewServer(answer)}
	b.Cleanup(f.Close)
	return f
}

// patience is the timeout for a test that expects a failure of this kind: short
// only where it is to be reached, since a busy machine is slow.
func patience(kind layer.Kind) time.Duration {
	if kind == layer.KindTimeout {
		return 400 * time.Millisecond
	}
	return time.Minute
}
