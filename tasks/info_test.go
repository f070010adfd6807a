package tasks

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
)

func TestInfoJSON(t *testing.T) {
	t.Parallel()
	minute := func(n int) time.Time { return time.Date(2026, 3, 8, 12, n, 0, 417_000_000, time.UTC) }
	infos := []Info{
		{ID: someID, Type: TypeBlockUser, Queue: "default", State: StatePending, EnqueuedAt: minute(0)},
		{ID: someID, Type: TypeBlockUser, Queue: "bulk", State: StateRetry, Duplicate: true, Attempts: 3, EnqueuedAt: minute(0), NextAttemptAt: minute(9), Error: "layer: POST: 503"},
		{ID: someID, Type: TypeSendMessage, Queue: "critical", State: StateCompleted, Attempts: 1, EnqueuedAt: minute(0), CompletedAt: minute(1), Result: json.RawMessage(`{"message_id":"layer:///messages/c25e8f04-93ab-4c77-b1de-58f06a1d2b39"}`)},
		{ID: someID, Type: TypeSendMessage, Queue: "default", State: StateArchived, Attempts: 1, EnqueuedAt: minute(0), ArchivedAt: minute(1), Error: "layer: POST: 404 not_found", Code: "not_found"},
	}
	b, err := json.MarshalIndent(infos, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "info.golden.json", append(b, '\n'))

	var back []Info
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	for i := range back {
		if len(back[i].Result) > 0 {
			back[i].Result = infos[i].Result // the same, indented
		}
	}
	if diff := cmp.Diff(infos, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestDecodeResult(t *testing.T) {
	t.Parallel()
	want := Result{MessageID: layer.MessageID(someID)}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&Info{Result: b}).DecodeResult()
	if err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := (&Info{}).DecodeResult(); err != nil || got != (Result{}) {
		t.Errorf("no result: got %v, %v", got, err)
	}
	if _, err := (&Info{ID: someID, Result: json.RawMessage(`[]`)}).DecodeResult(); err == nil {
		t.Error("a result of another shape is taken")
	}
}

func TestResultOfOthers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "{}": "", "not json": "", `{"message_id":"x"}`: `{"message_id":"x"}`,
	} {
		if got := string(resultOf([]byte(in))); got != want {
			t.Errorf("resultOf(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestQueueInfoJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(QueueInfo{
		Queue: "default", Pending: 1, Waiting: 2, Scheduled: 3, Active: 4, Retry: 5, Archived: 6, Completed: 7,
		Latency: 1500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"queue":"default","pending":1,"waiting":2,"scheduled":3,"active":4,"retry":5,"archived":6,"completed":7,` +
		`"latency_seconds":1.5,"paused":false}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

// A pause by hand and a hold, as Redis has them.
func TestQueueInfoJSONOfPauses(t *testing.T) {
	t.Parallel()
	until := time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC)
	type action func(*Client, redis.UniversalClient) error
	pause := func(c *Client, _ redis.UniversalClient) error {
		_, err := c.Pause(t.Context(), queue.Bulk)
		return err
	}
	hold := func(_ *Client, rdb redis.UniversalClient) error {
		return queue.NewStore(rdb).Hold(t.Context(), []string{queue.Bulk}, queue.Hold{Reason: "why", Until: until, Code: "outage"}, time.Hour, 1)
	}
	others := func(_ *Client, rdb redis.UniversalClient) error {
		return rdb.Set(t.Context(), queue.PausedKey(queue.Bulk), "1", time.Hour).Err()
	}
	for _, tc := range []struct {
		name string
		does []action
		want string
	}{
		{"running", nil, `"paused":false}`},
		{"paused by hand", []action{pause}, `"paused":true}`},
		{"held", []action{hold}, `"paused":false,"held":{"reason":"why","until":"2100-01-02T03:04:05Z"}}`},
		{"paused, then held", []action{pause, hold}, `"paused":true,"held":{"reason":"why","until":"2100-01-02T03:04:05Z"}}`},
		{"held, then paused", []action{hold, pause}, `"paused":true,"held":{"reason":"why","until":"2100-01-02T03:04:05Z"}}`},
		{"another program's, with an end", []action{others}, `"paused":false,"held":{"reason":"","until":"TIME"}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.New(t)
			c, err := NewClientFromRedis(rdb)
			if err != nil {
				t.Fatal(err)
			}
			for _, does := range tc.does {
				if err := does(c, rdb); err != nil {
					t.Fatal(err)
				}
			}
			infos, err := c.Queues(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if h := infos[2].Held; h != nil && h.Reason == "" {
				if left := time.Until(h.Until); left < 59*time.Minute || left > time.Hour {
					t.Errorf("it is paused for another %s", left)
				}
			}
			b, err := json.Marshal(infos[2])
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(tc.want, "TIME") {
				b = []byte(strings.Replace(string(b), infos[2].Held.Until.Format(time.RFC3339Nano), "TIME", 1))
			}
			want := `{"queue":"bulk","pending":0,"waiting":0,"scheduled":0,"active":0,"retry":0,"archived":0,"completed":0,"latency_seconds":0,` + tc.want
			if string(b) != want {
				t.Errorf("got  %s\nwant %s", b, want)
			}
		})
	}
}
