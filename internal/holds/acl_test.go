package holds

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// Redis 7 lets a user into no channel unless it is told to. News is not heard then, and
// everything else works: who is held looks again by itself, and the queues keep away who knows nothing.
func TestHoldWithoutTheRightToPublish(t *testing.T) {
	t.Parallel()
	s := redistest.NewServer(t, "--user", "app", "on", ">pw", "~*", "resetchannels", "+@all")
	open := func() *Keeper {
		rdb := redis.NewClient(&redis.Options{Addr: s.Addr, Username: "app", Password: "pw"})
		t.Cleanup(func() { _ = rdb.Close() })
		return newKeeper(t, rdb)
	}
	a := open()
	store := queue.NewStore(a.rdb)
	shown := func(held bool) func() bool {
		return func() bool {
			infos, err := store.Queues(t.Context())
			return err == nil && (infos[0].Held != nil) == held && (infos[2].Held != nil) == held
		}
	}
	_, end := enter(t, a)
	end(finding{kind: holding, reason: RetryAfter, code: "429", wait: time.Second})
	eventually(t, "the queues show it", shown(true))
	if n := a.Snapshot().Began[RetryAfter]; n != 1 {
		t.Errorf("the keeper has begun %d holds", n)
	}
	b := open()
	eventually(t, "another one learns of it", func() bool { return b.Snapshot().Reason == RetryAfter })
	pass, end := enter(t, a)
	if !pass.Probe() {
		t.Error("no probe")
	}
	end(finding{kind: alive})
	eventually(t, "the queues are open", shown(false))
	eventually(t, "both are open", func() bool { return a.Snapshot().Reason == "" && b.Snapshot().Reason == "" })
}
