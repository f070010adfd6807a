package layer_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// wantCode fails the test unless err is Layer's error of this code.
func wantCode(t *testing.T, err error, code layer.Code) {
	t.Helper()
	if !errors.Is(err, code) || !layer.Answered(err) {
		t.Errorf("got %v, want %s", err, code)
	}
}

// emulated starts an emulator with these switches, and a client for it.
func emulated(t *testing.T, switches layertest.Switches, opts ...layer.Option) (*layertest.Server, *layer.Client) {
	t.Helper()
	server := layertest.NewServer(t, layertest.WithConfig(layertest.Config{Switches: switches}))
	return server, server.Client(t, opts...)
}

// TestEveryDocumentedError goes through Layer's table of errors.
func TestEveryDocumentedError(t *testing.T) {
	t.Parallel()
	for code, status := range map[layer.Code]int{
		layer.CodeServiceUnavailable: 503, layer.CodeInvalidAppID: 403, layer.CodeInvalidRequestID: 400, layer.CodeAuthenticationRequired: 401,
		layer.CodeAppSuspended: 403, layer.CodeUserSuspended: 403, layer.CodeRateLimitExceeded: 429, layer.CodeRequestTimeout: 408,
		layer.CodeInvalidOperation: 422, layer.CodeInvalidRequest: 400, layer.CodeInternalServerError: 500, layer.CodeAccessDenied: 403,
		layer.CodeNotFound: 404, layer.CodeObjectDeleted: 410, layer.CodeMissingProperty: 422, layer.CodeInvalidProperty: 422,
		layer.CodeInvalidEndpoint: 404, layer.CodeInvalidHeader: 406, layer.CodeConflict: 409, layer.CodeMethodNotAllowed: 405,
		layer.CodeParticipantBlocked: 422, layer.CodeIDInUse: 409,
	} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			server, c := emulated(t, layertest.Switches{}, layer.WithAttemptRetries(0))
			server.Fault(layertest.Rule{Status: status, Code: string(code)})
			_, err := c.Messages.Send(t.Context(), server.AddConversation("ana"), uuid.New(), hello)
			wantCode(t, err, code)
			e, ok := errors.AsType[*layer.Error](err)
			if !ok || e.Status != status || layer.IsTransient(err) != (status == 408 || status == 429 || status >= 500) {
				t.Errorf("status %d, transient %v: %v", e.Status, layer.IsTransient(err), err)
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	server := layertest.NewServer(t)
	for name, c := range map[string]struct {
		app   layer.AppID
		token string
		code  layer.Code
	}{
		"a wrong token": {server.App(), "wrong", layer.CodeAuthenticationRequired},
		"another app":   {layer.AppID(uuid.New()), server.Token(), layer.CodeInvalidAppID},
	} {
		client, err := layer.New(c.app, c.token, layer.WithBaseURL(server.URL()), layer.WithHTTPClient(server.HTTPClient()))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Conversations.Get(t.Context(), conv)
		if layer.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNothingIsSentTwice is what the dedupe UUID is for: the emulator does the
// work and then loses the answer in every way that it knows.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]layertest.Rule{
		"a lost answer":     {DropConnection: true, AfterCommit: true},
		"half an answer":    {HalfBody: true},
		"a failure":         {Status: 503, AfterCommit: true},
		"a server's wait":   {Status: 408, AfterCommit: true},
		"a short limit":     {Status: 429, AfterCommit: true, RetryAfter: layertest.Duration(time.Second)},
		"a page of a proxy": {AfterCommit: true, ContentType: "text/html", Body: new("<html>")},
		"an empty answer":   {AfterCommit: true, Body: new("")},
	} {
		for _, switches := range []layertest.Switches{{}, {DedupeConflict: true}} {
			t.Run(fmt.Sprintf("%s, conflict %v", name, switches.DedupeConflict), func(t *testing.T) {
				t.Parallel()
				server, c := emulated(t, switches)
				conversation, id := server.AddConversation("ana"), uuid.New()
				once := fault
				once.Count = new(1)
				server.Fault(once)
				got, err := c.Messages.Send(t.Context(), conversation, id, hello)
				if err != nil {
					t.Fatal(err)
				}
				if got.ID.UUID() != id || got.Parts[0].Body != "tide is in" {
					t.Errorf("got %+v", got)
				}
				server.WantRequests(t, 2)
				server.WantMessages(t, conversation, "tide is in")
			})
		}
	}
}

// TestWhatIsDeletedOnceIsDeleted loses the answer of a deletion that was made: the
// repetition finds nothing, and that is no error.
func TestWhatIsDeletedOnceIsDeleted(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]layertest.Rule{
		"a lost answer":   {DropConnection: true},
		"a failure":       {Status: 503},
		"a server's wait": {Status: 408},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, c := emulated(t, layertest.Switches{})
			ctx, conversation := t.Context(), server.AddConversation("ana")
			sent, err := c.Messages.Send(ctx, conversation, uuid.New(), hello)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Identities.Create(ctx, "ana", layer.Identity{DisplayName: "Ana"}); err != nil {
				t.Fatal(err)
			}
			for what, remove := range map[string]func() error{
				"message":  func() error { return c.Messages.Delete(ctx, conversation, sent.ID) },
				"identity": func() error { return c.Identities.Delete(ctx, "ana") },
			} {
				once := fault
				once.AfterCommit, once.Count = true, new(1)
				server.Fault(once)
				if err := remove(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				if err := remove(); !errors.Is(err, layer.CodeNotFound) {
					t.Errorf("%s, deleted again: %v", what, err)
				}
			}
			server.WantRequests(t, 2+2*3)
		})
	}
}

func TestASlowAnswerIsForTheCaller(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{}, layer.WithTimeout(patience(layer.KindTimeout)))
	conversation, id := server.AddConversation("ana"), uuid.New()
	server.Fault(layertest.Rule{SlowBody: layertest.Duration(time.Minute), Count: new(1)}, layertest.Rule{Hang: true, Count: new(1)})
	for range 2 {
		_, err := c.Messages.Send(t.Context(), conversation, id, hello)
		if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindTimeout {
			t.Fatalf("got %v", err)
		}
	}
	if _, err := server.Client(t).Messages.Send(t.Context(), conversation, id, hello); err != nil {
		t.Fatal(err)
	}
	server.WantMessages(t, conversation, "tide is in")
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	server, c := emulated(t, layertest.Switches{})
	server.SetRate(layertest.Rate{N: 1, Per: time.Hour})
	conversation := server.AddConversation("ana")
	if _, err := c.Conversations.Get(t.Context(), conversation); err != nil {
		t.Fatal(err)
	}
	_, err := c.Conversations.Get(t.Context(), conversation)
	wantCode(t, err, layer.CodeRateLimitExceeded)
	server.WantRequests(t, 2)
}

// TestManySenders sends from 64 goroutines at once.
func TestManySenders(t *testing.T) {
	t.Parallel()
	server := layertest.NewServer(t, layertest.WithTCP())
	c, err := layer.New(server.App(), server.Token(), layer.WithBaseURL(server.URL()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	conversation := server.AddConversation("ana")
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 5 {
				if _, err := c.Messages.Send(t.Context(), conversation, uuid.New(), hello); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := server.Stats().ByStatus["201"]; n != 320 {
		t.Errorf("%d messages of 320", n)
	}
}

// TestRoutes holds the emulator to the client's operations.
func TestRoutes(t *testing.T) {
	t.Parallel()
	served := map[string]bool{}
	for _, route := range layertest.Routes() {
		served[route.Method+" "+route.Path] = true
	}
	for _, operation := range operations {
		if !served[operation] {
			t.Errorf("the emulator does not serve %s", operation)
		}
	}
}
