package permits_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/permits"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// emulated sends messages through a fleet to an emulator with a strict limit
// until stop tells so, of one worker and how often was tried, and returns the emulator.
func emulated(t *testing.T, limit layertest.Rate, options permits.Options, stop func(srv *layertest.Server, l *permits.Limiter, tried int64) bool) *layertest.Server {
	t.Helper()
	srv := layertest.NewServer(t, layertest.WithConfig(layertest.Config{Rate: limit}))
	conversation := srv.AddConversation("a", "b")
	var tried atomic.Int64
	var all sync.WaitGroup
	for range 3 {
		limiter, err := permits.New(redistest.New(t), options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(limiter.Close)
		client := srv.Client(t, layer.WithLimiter(limiter), layer.WithAttemptRetries(0))
		for range 16 {
			all.Go(func() {
				for !stop(srv, limiter, tried.Add(1)) {
					_, err := client.Messages.Send(t.Context(), conversation, uuid.New(), layer.SendMessageRequest{
						Sender: layer.Sender{UserID: "a"}, Parts: []layer.Part{{MIMEType: "text/plain", Body: "x"}},
					})
					if err != nil && layer.CodeOf(err) != layer.CodeRateLimitExceeded {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	return srv
}

// The whole way: client, limiter, Redis, and a server that refuses what is above its limit.
func TestNoCallIsRefused(t *testing.T) {
	t.Parallel()
	const n, per, calls = 50, 250 * time.Millisecond, 400
	srv := emulated(t, layertest.Rate{N: n, Per: per}, permits.Options{Limit: permits.Limit{N: n, Per: per}},
		func(_ *layertest.Server, _ *permits.Limiter, tried int64) bool { return tried > calls })
	if s := srv.Stats(); s.RateLimited != 0 || s.Requests != calls {
		t.Errorf("%d of %d calls were refused, want none of %d", s.RateLimited, s.Requests, calls)
	}
}

// Nobody says what the limit is: it is found, at the cost of few refused calls.
func TestUnknownLimitIsFound(t *testing.T) {
	t.Parallel()
	const n, begins = 20, 10
	var found atomic.Bool
	deadline := time.Now().Add(time.Minute)
	srv := emulated(t, layertest.Rate{N: n, Per: time.Second}, permits.Options{Auto: true},
		func(srv *layertest.Server, l *permits.Limiter, _ int64) bool {
			// It went up until it was refused, and then below what is refused.
			if limit := l.Snapshot().Limit.N; srv.Stats().RateLimited > 0 && limit > begins && limit <= n {
				found.Store(true)
			}
			return found.Load() || time.Now().After(deadline)
		})
	if s := srv.Stats(); !found.Load() || s.RateLimited > 10 {
		t.Errorf("found: %v, with %d calls refused of %d; want at most 10", found.Load(), s.RateLimited, s.Requests)
	}
}
