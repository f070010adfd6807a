//go:build faults && linux

package faults

import (
	"net/http"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

// The scenario of an evening on which everything happens at once: 5,000 messages over 200
// conversations, three workers of which one is killed every 2 s, Redis restarted once and
// frozen twice, a fifth of all calls answered wrongly.
func TestAll_at_once(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, e engine) {
		t.Helper()
		n, conversations := rowTasks(), 40
		if *long {
			n, conversations = 5000, 200
		}
		s := newSite(t, e, setup{latency: 30 * time.Millisecond})
		l := s.messages(n, conversations)
		s.emulator.faults(
			some(10, layertest.Rule{Status: http.StatusServiceUnavailable, AfterCommit: true}),
			some(5, layertest.Rule{DropConnection: true, AfterCommit: true}),
			some(5, layertest.Rule{Status: http.StatusTooManyRequests}),
		)
		s.start(3)
		stop := every(2*time.Second, func() { s.replace() })
		redisDone := make(chan struct{})
		go func() {
			defer close(redisDone)
			<-time.After(span() / 4)
			s.redis.proc.freeze(3 * time.Second)
			<-time.After(span() / 4)
			s.redis.restart(time.Second)
			<-time.After(span() / 4)
			s.redis.proc.freeze(3 * time.Second)
		}()
		l.enqueue(span())
		<-redisDone
		stop()
		b := s.close(l, time.Now(), allowed{repeats: anyNumber})
		s.record("all at once: 5,000 messages, three workers", b)
	})
}
