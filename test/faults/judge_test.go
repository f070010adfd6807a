//go:build faults && linux

package faults

import (
	"net/http"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/test/rig"
)

// The scenario of an evening on which everything happens at once: 5,000 messages over 200
// conversations, three workers of which one is killed every 2 s, Redis restarted once and
// frozen twice, a fifth of all calls answered wrongly.
func TestAll_at_once(t *testing.T) {
	t.Parallel()
	row{name: "all at once: 5,000 messages, three workers", compare: true, idle: true, latency: 30 * time.Millisecond}.run(t, func(s *site) {
		n, conversations := rowTasks(), 40
		if *long {
			n, conversations = 5000, 200
		}
		l := s.messages(n, conversations)
		s.emulator.Faults(
			some(10, layertest.Rule{Status: http.StatusServiceUnavailable, AfterCommit: true}),
			some(5, layertest.Rule{DropConnection: true, AfterCommit: true}),
			some(5, layertest.Rule{Status: http.StatusTooManyRequests}),
		)
		s.Start(3)
		stop := rig.Every(s.t, 2*time.Second, s.replace)
		redisOver := rig.Meanwhile(s.t, func() {
			<-time.After(span() / 4)
			s.redis.Proc.Freeze(3 * time.Second)
			<-time.After(span() / 4)
			s.redis.Restart(time.Second)
			<-time.After(span() / 4)
			s.redis.Proc.Freeze(3 * time.Second)
		})
		l.enqueue(span())
		redisOver()
		stop()
		s.finish(l, time.Now(), allowed{repeats: anyNumber, fails: true}, patience)
	})
}
