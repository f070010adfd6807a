package queue_test

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

var lanes = flag.Int("lanes", 2000, "how many lanes of 10 tasks TestLanesTakeLittleMemory fills")

// Ten tasks in each of many lanes take at most half as much memory again as the same tasks without one. The figures in docs/lanes.md are of
//
//	test/with-redis go test -count=1 -v -run LanesTakeLittleMemory ./internal/queue -lanes 100000
func TestLanesTakeLittleMemory(t *testing.T) {
	t.Parallel()
	const each, most = 10, 1.5
	rdb := redisServer(t)
	store := queue.NewStore(rdb)
	fill := func(n int, name func(lane string) string) float64 {
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		before := usedMemory(t, rdb)
		for done := 0; done < n; {
			batch := make([]queue.Entry, min(1000, n-done))
			for i := range batch {
				conversation := fmt.Sprintf("0b7d9a66-51c2-4e0f-a8d1-%012d", (done+i)%*lanes)
				m := message(queue.Default)
				m.Payload = fmt.Appendf(nil, `{"v":1,"args":{"conversation":"layer:///conversations/%s","sender":{"user_id":"alice"},`+
					`"parts":[{"mime_type":"text/plain","body":"Hello, how are you?"}]}}`, conversation)
				batch[i] = queue.Entry{Message: m, Lane: name("conversation:" + conversation)}
			}
			answers, err := store.Enqueue(t.Context(), batch)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range answers {
				if a.Err != nil || a.Existing != nil {
					t.Fatalf("%+v", a)
				}
			}
			done += len(batch)
		}
		return (usedMemory(t, rdb) - before) / float64(n)
	}
	all := each * *lanes
	fill(each, func(lane string) string { return lane }) // scripts and connections are there, and are not counted
	unordered := fill(all, func(string) string { return "" })
	if n := rdb.LLen(t.Context(), queue.PendingKey(queue.Default)).Val(); n != int64(all) {
		t.Fatalf("%d are pending, want all", n)
	}
	laned := fill(all, func(lane string) string { return lane })
	if n := rdb.LLen(t.Context(), queue.PendingKey(queue.Default)).Val(); n != int64(*lanes) {
		t.Fatalf("%d are pending, want one of each lane", n)
	}
	times := laned / unordered
	t.Logf("%d lanes of %d tasks: %.0f bytes a task, without a lane %.0f: %.2f times", *lanes, each, laned, unordered, times)
	if times > most {
		t.Errorf("a task in a lane takes %.2f times the memory of one without, want %.1f at most", times, most)
	}
}

func usedMemory(t *testing.T, rdb *redis.Client) float64 {
	t.Helper()
	info, err := rdb.Info(t.Context(), "memory").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(info, "used_memory:")
	text, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
