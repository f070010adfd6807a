package queue

import (
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/redistest"
)

// TestPausesAndHolds goes through what people, asynqmon and holds do to a queue, in every order that matters:
// after each step the queue is as it says, to asynq and to us.
func TestPausesAndHolds(t *testing.T) {
	t.Parallel()
	for _, steps := range []string{
		"running; pause: paused; resume: running",
		"running; pause: paused; pause again: paused; resume: running; resume again: running",
		"running; hold: held; release: running",
		"running; hold: held; hold again: held; release: running; release again: running",
		"running; hold: held; expire: running",
		// A pause by hand outlives the hold, whichever began first.
		"running; pause: paused; hold: paused and held; release: paused; resume: running",
		"running; pause: paused; hold: paused and held; expire: paused; resume: running",
		"running; hold: held; pause: paused and held; release: paused; resume: running",
		"running; hold: held; pause: paused and held; expire: paused; resume: running",
		"running; hold: held; pause: paused and held; hold again: paused and held; release: paused",
		// A resume by hand does not end the hold, nor hide it.
		"running; hold: held; resume again: held; release: running",
		"running; pause: paused; hold: paused and held; resume: held; release: running",
		"running; pause: paused; hold: paused and held; resume: held; expire: running",
		// What a slow worker has to say comes after something newer: it changes nothing.
		"running; hold: held; release: running; late hold: running",
		"running; hold: held; late release: held; release: running",
		"running; hold: held; pause: paused and held; late release: paused and held; release: paused; late hold: paused; resume: running",
		"running; hold: held; release: running; pause: paused; late release: paused; late hold: paused; resume: running",
		// A Redis that has lost the number goes by the next one, however low.
		"running; hold: held; the number is lost: held; late release: running; hold: held; release: running",
		// asynqmon, which knows of no holds: it shows them as a pause, and offers to end that.
		"running; asynqmon pauses: paused; hold: paused and held; release: paused; asynqmon resumes: running",
		"running; asynqmon pauses: paused; resume: running",
		"running; pause: paused; asynqmon resumes: running",
		"running; hold: held; asynqmon resumes: held unseen; hold again: held; release: running",
		"running; hold: held; asynqmon resumes: held unseen; release: running",
		"running; hold: held; asynqmon resumes: held unseen; asynqmon pauses: paused and held; release: paused",
		"running; hold: held; asynqmon cannot pause: held; release: running",
	} {
		t.Run(steps, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.New(t)
			s, insp := NewStore(rdb), asynq.NewInspectorFromRedisClient(rdb)
			rdb.SAdd(t.Context(), AllQueuesKey, Bulk)
			fail := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			was := func(want bool) func(bool, error) {
				return func(got bool, err error) {
					t.Helper()
					if err != nil || got != want {
						t.Fatalf("was paused %v, %v", got, err)
					}
				}
			}
			resume := func() (bool, error) {
				was, held, err := s.Resume(t.Context(), Bulk)
				if held != nil && held.Reason != "outage: 503" {
					t.Errorf("held for %+v", held)
				}
				return was, err
			}
			const lasts = time.Hour
			hold := Hold{Reason: "outage: 503", Until: time.Now().Add(lasts)}
			nth := int64(1)
			for step := range strings.SplitSeq(steps, "; ") {
				what, want, _ := strings.Cut(step, ": ")
				nth++
				switch what {
				case "running":
					want = what
				case "pause":
					was(false)(s.Pause(t.Context(), Bulk))
				case "pause again":
					was(true)(s.Pause(t.Context(), Bulk))
				case "resume":
					was(true)(resume())
				case "resume again":
					was(false)(resume())
				case "hold", "hold again":
					fail(s.Hold(t.Context(), []string{Bulk}, hold, lasts, nth))
				case "release", "release again":
					fail(s.Release(t.Context(), []string{Bulk}, nth))
				case "late hold":
					fail(s.Hold(t.Context(), []string{Bulk}, Hold{Reason: "late"}, lasts, 1))
				case "late release":
					fail(s.Release(t.Context(), []string{Bulk}, 1))
				case "the number is lost":
					fail(rdb.Del(t.Context(), markKey(Bulk)).Err())
				case "expire":
					expire(t, rdb)
				case "asynqmon pauses":
					fail(insp.PauseQueue(Bulk))
				case "asynqmon resumes":
					fail(insp.UnpauseQueue(Bulk))
				case "asynqmon cannot pause":
					if insp.PauseQueue(Bulk) == nil {
						t.Error("asynqmon has paused a queue that it shows as paused")
					}
				default:
					t.Fatalf("what is %q?", what)
				}
				stands(t, s, insp, what, want)
			}
		})
	}
}

// expire lets the time of a hold be over, and that of the mark by which asynq sees it.
func expire(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	var held, paused *redis.DurationCmd
	if _, err := rdb.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		held, paused = p.PTTL(t.Context(), HeldKey(Bulk)), p.PTTL(t.Context(), PausedKey(Bulk))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	keys := []string{HeldKey(Bulk)}
	if paused.Val() > 0 { // a pause by hand has no end
		keys = append(keys, PausedKey(Bulk))
		if paused.Val() > held.Val() {
			t.Errorf("asynq sees a pause for %s, the hold lasts %s", paused.Val(), held.Val())
		}
	}
	for _, key := range keys {
		if err := rdb.PExpire(t.Context(), key, time.Millisecond).Err(); err != nil {
			t.Fatal(err)
		}
	}
	redistest.Eventually(t, "the hold has expired", func() bool { return rdb.Exists(t.Context(), keys...).Val() == 0 })
}

func stands(t *testing.T, s *Store, insp *asynq.Inspector, after, want string) {
	t.Helper()
	infos, err := s.Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info := infos[2]
	mon, err := insp.GetQueueInfo(Bulk)
	if err != nil {
		t.Fatal(err)
	}
	held := strings.Contains(want, "held")
	if info.Paused != strings.Contains(want, "paused") || (info.Held != nil) != held {
		t.Errorf("after %s: %+v, held %+v; want %s", after, info, info.Held, want)
	}
	if held && (info.Held.Reason != "outage: 503" || time.Until(info.Held.Until) > time.Hour) {
		t.Errorf("after %s: held %+v", after, info.Held)
	}
	if mon.Paused != (want != "running" && want != "held unseen") {
		t.Errorf("after %s: asynqmon says paused: %v; want %s", after, mon.Paused, want)
	}
	// Only a pause by hand has no end.
	ttl := s.rdb.PTTL(t.Context(), PausedKey(Bulk)).Val()
	if byHand := strings.Contains(want, "paused"); (ttl == -1) != byHand {
		t.Errorf("after %s: the pause lasts %s; want %s", after, ttl, want)
	}
}
