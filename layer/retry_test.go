package layer_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

// ledger is a limiter and an observer that keeps books.
type ledger struct {
	mu       sync.Mutex
	held     int
	answers  []layer.Answer
	attempts []layer.Attempt
	refuse   error
}

func (l *ledger) Acquire(ctx context.Context) (func(layer.Answer), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return nil, l.refuse
	}
	l.held++
	return func(a layer.Answer) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.held--
		l.answers = append(l.answers, a)
	}, ctx.Err()
}

func (l *ledger) ObserveAttempt(_ context.Context, a layer.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts = append(l.attempts, a)
}

func (l *ledger) check(t *testing.T, attempts int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != 0 || len(l.answers) != attempts || len(l.attempts) != attempts {
		t.Errorf("%d permits held, %d released, %d attempts observed; want 0, %d, %d", l.held, len(l.answers), len(l.attempts), attempts, attempts)
	}
}

func TestShortRetries(t *testing.T) {
	t.Parallel()
	unavailable := answer(503, `{"id":"service_unavailable","code":1}`)
	limited := answer(429, "")
	limitedShortly := answer(429, "", "Retry-After", "1")
	limitedForLong := answer(503, "", "Retry-After", "30")
	sent := answer(201, helloAnswer)
	send := func(c *layer.Client, ctx context.Context) error {
		_, err := c.Messages.Send(ctx, conv, dedupe, hello)
		return err
	}
	sendOnce := func(c *layer.Client, ctx context.Context) error {
		_, err := c.Messages.Send(ctx, conv, uuid.Nil, hello)
		return err
	}
	remove := func(c *layer.Client, ctx context.Context) error { return c.Messages.Delete(ctx, conv, message) }
	block := func(c *layer.Client, ctx context.Context) error { return c.Blocks.Block(ctx, "ana", "boris") }
	create := func(c *layer.Client, ctx context.Context) error {
		return c.Identities.Create(ctx, "ana", layer.Identity{DisplayName: "Ana"})
	}
	push := func(c *layer.Client, ctx context.Context) error {
		return c.Notifications.Send(ctx, dedupe, layer.SendNotificationRequest{Recipients: []string{"ana"}})
	}
	notFound := answer(404, `{"id":"not_found","code":102}`)
	for name, c := range map[string]struct {
		call     func(*layer.Client, context.Context) error
		answers  []http.HandlerFunc
		attempts int
		code     layer.Code // of the error; none means success unless kind is set
		kind     layer.Kind
	}{
		"a send with a UUID is repeated":            {send, []http.HandlerFunc{unavailable, cut, sent}, 3, "", ""},
		"but not for ever":                          {send, []http.HandlerFunc{unavailable}, 3, layer.CodeServiceUnavailable, ""},
		"a half success is repeated":                {send, []http.HandlerFunc{half(201, helloAnswer), sent}, 2, "", ""},
		"a send without a UUID is not":              {sendOnce, []http.HandlerFunc{unavailable}, 1, layer.CodeServiceUnavailable, ""},
		"nor is a half success of it":               {sendOnce, []http.HandlerFunc{half(201, helloAnswer)}, 1, "", layer.KindCut},
		"a block is idempotent":                     {block, []http.HandlerFunc{cut, unavailable, answer(204, "")}, 3, "", ""},
		"creating an identity is not":               {create, []http.HandlerFunc{unavailable}, 1, layer.CodeServiceUnavailable, ""},
		"a push is not, in spite of its UUID":       {push, []http.HandlerFunc{unavailable}, 1, layer.CodeServiceUnavailable, ""},
		"a 429 is for the caller":                   {send, []http.HandlerFunc{limited}, 1, layer.CodeRateLimitExceeded, ""},
		"unless it says that it is short":           {send, []http.HandlerFunc{limitedShortly, sent}, 2, "", ""},
		"a long Retry-After is for the caller":      {send, []http.HandlerFunc{limitedForLong}, 1, layer.CodeServiceUnavailable, ""},
		"a refusal is final":                        {send, []http.HandlerFunc{notFound}, 1, layer.CodeNotFound, ""},
		"a delete whose first answer was lost":      {remove, []http.HandlerFunc{cut, notFound}, 2, "", ""},
		"a delete that failed inside":               {remove, []http.HandlerFunc{unavailable, answer(410, "")}, 2, "", ""},
		"a delete that timed out inside":            {remove, []http.HandlerFunc{answer(408, ""), notFound}, 2, "", ""},
		"a delete of nothing":                       {remove, []http.HandlerFunc{notFound}, 1, layer.CodeNotFound, ""},
		"a limited delete of nothing":               {remove, []http.HandlerFunc{limitedShortly, notFound}, 2, layer.CodeNotFound, ""},
		"our UUID in use is our earlier success":    {send, []http.HandlerFunc{answer(409, `{"id":"id_in_use","code":111,"data":`+helloAnswer+`}`)}, 1, "", ""},
		"another UUID in use is not":                {send, []http.HandlerFunc{answer(409, `{"id":"id_in_use","code":111,"data":`+strings.ReplaceAll(helloAnswer, otherUUID, convUUID)+`}`)}, 1, layer.CodeIDInUse, ""},
		"nor is our UUID on another kind":           {send, []http.HandlerFunc{answer(409, `{"id":"id_in_use","code":111,"data":{"id":"layer:///conversations/`+otherUUID+`"}}`)}, 1, layer.CodeIDInUse, ""},
		"nor is a UUID in use without data":         {send, []http.HandlerFunc{answer(409, `{"id":"id_in_use","code":111}`)}, 1, layer.CodeIDInUse, ""},
		"half of our UUID in use is asked again":    {send, []http.HandlerFunc{half(409, `{"id":"id_in_use","code":111,"data":`+helloAnswer+`}`), answer(409, `{"id":"id_in_use","code":111,"data":`+helloAnswer+`}`)}, 2, "", ""},
		"a UUID in use without a UUID is a failure": {sendOnce, []http.HandlerFunc{answer(409, `{"id":"id_in_use","code":111,"data":`+helloAnswer+`}`)}, 1, layer.CodeIDInUse, ""},
		"a timeout is for the caller":               {send, []http.HandlerFunc{silent}, 1, "", layer.KindTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, books := newFake(t, c.answers...), &ledger{}
			err := c.call(f.client(t, layer.WithLimiter(books), layer.WithObserver(books), layer.WithTimeout(patience(c.kind))), t.Context())
			books.check(t, c.attempts)
			if n := len(f.seen()); n != c.attempts {
				t.Errorf("%d requests, want %d", n, c.attempts)
			}
			if c.code == "" && c.kind == "" && err != nil || layer.CodeOf(err) != c.code {
				t.Errorf("got %v, want %q", err, c.code)
			}
			if e, _ := errors.AsType[*layer.TransportError](err); c.kind != "" && (e == nil || e.Kind != c.kind) {
				t.Errorf("got %v, want kind %q", err, c.kind)
			}
			for i, r := range f.seen() {
				if r.Header.Get("If-None-Match") != f.seen()[0].Header.Get("If-None-Match") || f.body(i) != f.body(0) {
					t.Errorf("request %d differs from the first", i+1)
				}
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	f, books := newFake(t, answer(429, "", "Retry-After", "1"), answer(201, helloAnswer)), &ledger{}
	if _, err := f.client(t, layer.WithLimiter(books), layer.WithObserver(books)).Messages.Send(t.Context(), conv, dedupe, hello); err != nil {
		t.Fatal(err)
	}
	if pause := books.attempts[1].Start.Sub(books.attempts[0].Start); pause < time.Second {
		t.Errorf("waited %v", pause)
	}
	if first := books.answers[0]; first.Status != 429 || first.RetryAfter != time.Second || books.answers[1].Status != 201 {
		t.Errorf("the limiter learned %+v", books.answers)
	}
	one, two := books.attempts[0], books.attempts[1]
	if one.Operation != "messages.send" || one.Method != "POST" || one.Number != 1 || one.Status != 429 || one.Code != layer.CodeRateLimitExceeded || one.Kind != "" {
		t.Errorf("observed %+v", one)
	}
	if two.Number != 2 || two.Status != 201 || two.Code != "" || two.Duration <= 0 {
		t.Errorf("observed %+v", two)
	}
}

func TestAPauseEndsWithTheContext(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(503, `{"id":"service_unavailable","code":1}`, "Retry-After", "2"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	afterTheFirst := layer.ObserverFunc(func(context.Context, layer.Attempt) { cancel() })
	_, err := f.client(t, layer.WithObserver(afterTheFirst)).Messages.Send(ctx, conv, dedupe, hello)
	if !errors.Is(err, layer.CodeServiceUnavailable) || !errors.Is(err, context.Canceled) || len(f.seen()) != 1 {
		t.Errorf("after %d requests: %v", len(f.seen()), err)
	}
	if wait, ok := layer.RetryAfter(err); !ok || wait != 2*time.Second {
		t.Errorf("asked to wait %v", wait)
	}
}

func TestNoPermitNoCall(t *testing.T) {
	t.Parallel()
	held := errors.New("the fleet is held")
	f, books := newFake(t, answer(201, helloAnswer)), &ledger{refuse: held}
	c := f.client(t, layer.WithLimiter(books), layer.WithObserver(books))
	_, err := c.Messages.Send(t.Context(), conv, dedupe, hello)
	e, ok := errors.AsType[*layer.TransportError](err)
	if !ok || e.Kind != layer.KindLimiter || !errors.Is(err, held) || layer.Answered(err) || !layer.IsTransient(err) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	books.refuse = context.Canceled
	_, err = c.Messages.Send(ctx, conv, dedupe, hello)
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindCanceled {
		t.Errorf("got %v", err)
	}
	if len(f.seen()) != 0 || len(books.attempts) != 0 {
		t.Error("something was sent without a permit")
	}
}

// TestRepetitionsByNetHTTPTakePermits is about GET requests: net/http sends them
// again by itself when a kept-alive connection ends under them.
func TestRepetitionsByNetHTTPTakePermits(t *testing.T) {
	t.Parallel()
	f, books := newFake(t, answer(200, helloAnswer), cut, answer(200, helloAnswer)), &ledger{}
	c := f.client(t, layer.WithLimiter(books), layer.WithAttemptRetries(0))
	for range 2 {
		if _, err := c.Messages.Get(t.Context(), conv, message); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.seen()) != 3 || len(books.answers) != 3 || books.held != 0 {
		t.Errorf("%d requests with %d permits, %d of them held", len(f.seen()), len(books.answers), books.held)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	f, books := newFake(t, answer(201, helloAnswer)), &ledger{}
	c := f.client(t, layer.WithLimiter(books), layer.WithObserver(books))
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 5 {
				if _, err := c.Messages.Send(t.Context(), conv, dedupe, hello); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	books.check(t, 64*5)
}
