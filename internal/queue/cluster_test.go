package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// oneNode returns a cluster client for which the test's Redis has every slot.
func oneNode(t *testing.T) *redis.ClusterClient {
	t.Helper()
	opts, err := redis.ParseURL(redistest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{opts.Addr},
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: opts.Addr}}}}, nil
		},
		OnConnect: func(ctx context.Context, cn *redis.Conn) error { return cn.Select(ctx, opts.DB).Err() },
	})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// oneSlot fails the test when a script gets keys of two slots, which a real Cluster refuses.
type oneSlot struct {
	t       *testing.T
	scripts atomic.Int32
}

func (h *oneSlot) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *oneSlot) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (h *oneSlot) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			if cmd.Name() != "evalsha" {
				continue
			}
			h.scripts.Add(1)
			n, _ := cmd.Args()[2].(int)
			tags := make(map[string]bool)
			for _, key := range cmd.Args()[3 : 3+n] {
				_, rest, _ := strings.Cut(fmt.Sprint(key), "{")
				tag, _, _ := strings.Cut(rest, "}")
				tags[tag] = true
			}
			if len(tags) != 1 {
				h.t.Errorf("one script for the slots of %v", tags)
			}
		}
		return next(ctx, cmds)
	}
}

func TestClusterGetsScriptsOfOneSlot(t *testing.T) {
	t.Parallel()
	rdb, hook := oneNode(t), &oneSlot{t: t}
	rdb.AddHook(hook)
	store := queue.NewStore(rdb)

	var entries []queue.Entry
	for _, q := range slices.Repeat(queue.Names, 3) {
		entries = append(entries, queue.Entry{Message: message(q)})
	}
	entries[3].ProcessAt = time.Now().Add(time.Hour)
	answers, err := store.Enqueue(t.Context(), entries)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if a.Existing != nil {
			t.Errorf("entry %d was there already", i)
		}
	}
	for i, e := range entries {
		again := *e.Message
		again.Queue = queue.Names[(i+1)%len(queue.Names)]
		answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: &again}})
		if err != nil {
			t.Fatal(err)
		}
		if there := answers[0].Existing; there == nil || there.Message.Queue != e.Message.Queue {
			t.Errorf("entry %d in another queue: %+v", i, there)
		}
		if rec, err := store.Find(t.Context(), e.Message.ID); err != nil || rec.Message.Queue != e.Message.Queue {
			t.Errorf("entry %d: found %+v, %v", i, rec, err)
		}
	}
	if _, err := store.Find(t.Context(), "none"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Find: %v, want ErrNotFound", err)
	}
	if _, err := store.Queues(t.Context()); err != nil {
		t.Error(err)
	}
	if hook.scripts.Load() == 0 {
		t.Error("the hook saw no script")
	}
}
