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
// until stop tells so, and returns the emulator and how many were sent.
func emulated(t *testing.T, limit layertest.Rate, options permits.Options, stop func(sent int64) bool) (*layertest.Server, int64) {
	t.Helper()
	srv := layertest.NewServer(t, layertest.WithConfig(layertest.Config{Rate: limit}))
	conversation := srv.AddConversation("a", "b")
	var sent, tried atomic.Int64
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
				for !stop(tried.Add(1)) {
					_, err := client.Messages.Send(t.Context(), conversation, uuid.New(), layer.SendMessageRequest{
						Sender: layer.Sender{UserID: "a"}, Parts: []layer.Part{{MIMEType: "text/plain", Body: "x"}},
					})
					switch {
					case err == nil:
						sent.Add(1)
					case layer.CodeOf(err) != layer.CodeRateLimitExceeded:
						t.Error(err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	return srv, sent.Load()
}

// The whole way: client, limiter, Redis, and a server that refuses what is above its limit.
func TestNoCallIsRefused(t *testing.T) {
	t.Parallel()
	const n, per, calls = 50, 250 * time.Millisecond, 400
	srv, _ := emulated(t, layertest.Rate{N: n, Per: per}, permits.Options{Limit: permits.Limit{N: n, Per: per}},
		func(tried int64) bool { return tried > calls })
	if s := srv.Stats(); s.RateLimited != 0 || s.Requests != calls {
		t.Errorf("%d of %d calls were refused, want none of %d", s.RateLimited, s.Requests, calls)
	}
}

// Nobody says what the limit is: it is found, at the cost of few refused calls.
func TestUnknownLimitIsFound(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(8 * time.Second)
	srv, sent := emulated(t, layertest.Rate{N: 20, Per: time.Second}, permits.Options{Auto: true},
		func(int64) bool { return time.Now().After(end) })
	if s := srv.Stats(); sent < 80 || s.RateLimited > 10 {
		t.Errorf("%d calls in 8 s and %d refused; want more than the 80 at the rate of the beginning, and at most 10", sent, s.RateLimited)
	}
}
