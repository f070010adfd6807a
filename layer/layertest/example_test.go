package layertest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// In a test, a server in memory takes the place of Layer, and says afterwards
// what it holds.
func ExampleNewServer() {
	t := new(fakeT) // a test has its *testing.T
	defer t.end()
	srv := layertest.NewServer(t)
	api := srv.Client(t)
	conversation := srv.AddConversation("ana", "boris")

	_, err := api.Messages.Send(t.Context(), conversation, uuid.New(), layer.SendMessageRequest{
		Sender: layer.FromUser("ana"),
		Parts:  []layer.Part{layer.Text("tide is in")},
	})
	if err != nil {
		t.Fatal(err)
	}

	srv.WantMessages(t, conversation, "tide is in")
	srv.WantRequests(t, 1)
	fmt.Println(len(t.complaints), "complaints")
	// Output: 0 complaints
}

// A request that took effect although its answer was lost is what makes naive
// retries send twice. Here the client tries again with the same dedupe UUID.
func ExampleServer_FailNext() {
	t := new(fakeT) // a test has its *testing.T
	defer t.end()
	srv := layertest.NewServer(t)
	api := srv.Client(t, layer.WithAttemptRetries(2))
	conversation := srv.AddConversation("ana", "boris")

	srv.FailNext(503, 503)
	_, err := api.Messages.Send(t.Context(), conversation, uuid.New(), layer.SendMessageRequest{
		Sender: layer.FromName("harbour master"),
		Parts:  []layer.Part{layer.Text("tide is in")},
	})
	if err != nil {
		t.Fatal(err)
	}

	srv.WantMessages(t, conversation, "tide is in") // exactly one
	stats := srv.Stats()
	fmt.Println(stats.Requests, "requests,", stats.DedupeHits, "repeated,", stats.Messages, "message")
	// Output:
	// 3 requests, 2 repeated, 1 message
}

// Rules say which requests go wrong, how, and how often.
func ExampleServer_Fault() {
	t := new(fakeT) // a test has its *testing.T
	defer t.end()
	srv := layertest.NewServer(t)
	api := srv.Client(t, layer.WithAttemptRetries(0))
	srv.Fault(layertest.Rule{
		Match:  layertest.Match{Method: "POST", Path: "/blocks$"},
		Status: http.StatusServiceUnavailable,
		Count:  new(1),
	})

	fmt.Println(layer.CodeOf(api.Blocks.Block(t.Context(), "ana", "boris")))
	fmt.Println(api.Blocks.Block(t.Context(), "ana", "boris"))
	srv.WantBlocks(t, "ana", "boris")
	// Output:
	// service_unavailable
	// <nil>
}

// The emulator is an http.Handler: any server can serve it, and programs in
// other languages talk to it.
func ExampleNew() {
	emulator := layertest.New(layertest.Config{Seed: 1})
	defer emulator.Close()
	srv := httptest.NewServer(emulator)
	defer srv.Close()

	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
		srv.URL+"/apps/"+layertest.DefaultAppID+"/users/ana/blocks", strings.NewReader(`{}`))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
	req.Header.Set("Accept", "application/vnd.layer+json; version=1.0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	fmt.Println(resp.Status)
	fmt.Println(string(body))
	// Output:
	// 422 Unprocessable Entity
	// {"url":"https://developer.layer.com/docs/platform","data":{"property":"user_id"},"code":104,"id":"missing_property","message":"Object is missing required member 'user_id'"}
}
