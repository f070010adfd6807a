package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/tasks"
)

func TestStatusOfAnUnknownTask(t *testing.T) {
	t.Parallel()
	got := newCLI(t).want(console.Failed, "status", id)
	if want := "enqueue: there is no task " + id + ": it was never enqueued, was deleted, or is done with its retention over\n"; got.stderr != want || got.stdout != "" {
		t.Errorf("got %+v, want %q", got, want)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.want(console.Done, strings.Fields(block+" --queue critical --in 1h")...)
	c.want(console.Done, strings.Fields(block)...)
	if err := redistest.New(t).Set(t.Context(), "asynq:{bulk}:paused", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	got := c.want(console.Done, "queues")
	latency := regexp.MustCompile(`(\d+(\.\d+)?(m|µ)?s|-) +running`)
	golden.Equal(t, "queues.golden", latency.ReplaceAll([]byte(got.stdout), []byte("LATENCY  running")))
	var infos []map[string]any
	if err := json.Unmarshal([]byte(c.want(console.Done, "queues", "--json").stdout), &infos); err != nil {
		t.Fatal(err)
	}
	if len(infos) != 3 || infos[0]["queue"] != "critical" || infos[0]["scheduled"] != 1.0 || infos[1]["pending"] != 1.0 || infos[2]["paused"] != true {
		t.Errorf("got %v", infos)
	}
}

// A pause by hand, a hold, both, and a pause of another program that ends by itself.
func TestQueuesTellPausesApart(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	until := time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := store.Hold(t.Context(), []string{queue.Critical, queue.Default}, queue.Hold{Reason: "outage: 503 \u009bgone", Until: until}, time.Hour, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Pause(t.Context(), queue.Critical); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Set(t.Context(), queue.PausedKey(queue.Bulk), "1", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	got := c.want(console.Done, "queues").stdout
	golden.Equal(t, "queues_paused.golden", regexp.MustCompile(`paused until .*`).ReplaceAll([]byte(got), []byte("paused until TIME")))
	var infos []struct {
		Paused bool        `json:"paused"`
		Held   *tasks.Hold `json:"held"`
	}
	if err := json.Unmarshal([]byte(c.want(console.Done, "queues", "--json").stdout), &infos); err != nil {
		t.Fatal(err)
	}
	if len(infos) != 3 || !infos[0].Paused || infos[1].Paused || infos[2].Paused {
		t.Errorf("paused by hand: %+v", infos)
	}
	for _, info := range infos {
		if info.Held == nil {
			t.Errorf("a pause with an end does not show: %+v", infos)
		}
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	c := &cli{t: t}
	list := c.want(console.Done, "types").stdout
	if lines := strings.Count(list, "\n"); lines != len(tasks.Types()) || strings.Contains(list, " \n") {
		t.Errorf("%d lines, want %d without blanks at their ends:\n%s", lines, len(tasks.Types()), list)
	}
	var infos []tasks.TypeInfo
	if err := json.Unmarshal([]byte(c.want(console.Done, "types", "--json").stdout), &infos); err != nil {
		t.Fatal(err)
	}
	if len(infos) != len(tasks.Types()) {
		t.Errorf("%d types, want %d", len(infos), len(tasks.Types()))
	}
	for _, info := range infos {
		if !strings.Contains(list, info.Type+"  ") || !strings.Contains(list, "  "+info.Doc+"\n") {
			t.Errorf("%s is not listed", info.Type)
		}
		var schema map[string]any
		if err := json.Unmarshal([]byte(c.want(console.Done, "types", info.Type).stdout), &schema); err != nil || schema["title"] != info.Type {
			t.Errorf("%s: %v, %v", info.Type, schema["title"], err)
		}
		var one tasks.TypeInfo
		if err := json.Unmarshal([]byte(c.want(console.Done, "types", info.Type, "--json").stdout), &one); err != nil || one.Type != info.Type {
			t.Errorf("%s: %+v, %v", info.Type, one, err)
		}
	}
}
