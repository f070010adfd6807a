package tasks

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/internal/golden"
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
	info := QueueInfo{
		Queue: "default", Pending: 1, Waiting: 2, Scheduled: 3, Active: 4, Retry: 5, Archived: 6, Completed: 7,
		Latency: 1500 * time.Millisecond,
	}
	for _, tc := range []struct {
		name   string
		byHand bool
		held   *Hold
		want   string
	}{
		{"running", false, nil, ``},
		{"paused by hand", true, nil, `,"paused_by_hand":true`},
		{"held", false, &Hold{Reason: "why", Until: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, `,"held":{"reason":"why","until":"2026-01-02T03:04:05Z"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			info := info
			info.PausedByHand, info.Held = tc.byHand, tc.held
			b, err := json.Marshal(info)
			if err != nil {
				t.Fatal(err)
			}
			want := `{"queue":"default","pending":1,"waiting":2,"scheduled":3,"active":4,"retry":5,"archived":6,"completed":7,` +
				`"latency_seconds":1.5,"paused":false` + tc.want + `}`
			if string(b) != want {
				t.Errorf("got  %s\nwant %s", b, want)
			}
		})
	}
}
