package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

const queueAPI = "/asynqmon/api/queues/default/"

// newArchive returns an admin who may change things, and the store that its asynqmon shows.
func newArchive(t *testing.T) (*Admin, *queue.Store, redis.UniversalClient) {
	t.Helper()
	rdb := redistest.New(t)
	a := newAdmin(t, func(o *Options) { o.Redis, o.Token = rdb, testToken })
	return a, queue.NewStore(rdb), rdb
}

func post(t *testing.T, a *Admin, path, body string) (status int, answer string) {
	t.Helper()
	w := ask(t, a, http.MethodPost, path, strings.NewReader(body), set("Authorization", "Bearer "+testToken))
	return w.Code, strings.TrimSpace(w.Body.String())
}

// enqueue puts tasks into queue default, and returns their ids.
func enqueue(t *testing.T, store *queue.Store, n int) []string {
	t.Helper()
	var ids []string
	var entries []queue.Entry
	for range n {
		m := message()
		ids = append(ids, m.ID)
		entries = append(entries, queue.Entry{Message: m})
	}
	if _, err := store.Enqueue(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	return ids
}

func message() *queue.Message {
	return &queue.Message{Type: "message:send", Payload: []byte(`{"v":1,"args":{}}`), ID: uuid.NewString(), Queue: queue.Default, Retry: 1, Retention: 3600}
}

// wantArchived checks that a list of ids is what is archived, and noted: nobody can trim it away.
func wantArchived(t *testing.T, store *queue.Store, rdb redis.UniversalClient, want []string) {
	t.Helper()
	var got []string
	pages := store.ArchivePages(queue.Default, time.Time{}, time.Now().Add(time.Minute))
	for more := true; more; {
		var page []string
		var err error
		if page, more, err = pages.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		got = append(got, page...)
	}
	noted := rdb.ZRange(t.Context(), queue.DeadKey(queue.Default), 0, -1).Val()
	for what, ids := range map[string][]string{"archived": got, "noted": noted} {
		slices.Sort(ids)
		if !slices.Equal(ids, slices.Sorted(slices.Values(want))) {
			t.Errorf("%d tasks are %s, want %d", len(ids), what, len(want))
		}
	}
}

// asynq would keep 9,999 of them. They are written as Enqueue writes them, which takes the embedded Redis a while.
func TestAsynqmon_archives_all_of_ten_thousand(t *testing.T) {
	t.Parallel()
	a, store, rdb := newArchive(t)
	var ids []string
	pipe := rdb.Pipeline()
	for range 10_050 {
		m := message()
		ids = append(ids, m.ID)
		pipe.HSet(t.Context(), queue.TaskKey(queue.Default, m.ID), "msg", m.Encode(), "state", "scheduled")
		pipe.ZAdd(t.Context(), queue.ScheduledKey(queue.Default), redis.Z{Score: 4e9, Member: m.ID})
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, got := post(t, a, queueAPI+"scheduled_tasks:archive_all", ""); status != 200 || got != `{"archived":10050}` {
		t.Fatalf("%d %s", status, got)
	}
	wantArchived(t, store, rdb, ids)
	if infos, err := store.Queues(t.Context()); err != nil || infos[1].Archived != 10_050 || infos[1].Scheduled != 0 {
		t.Errorf("%+v, %v", infos[1], err)
	}
	// Nor does the next one that is archived push others out.
	ids = append(ids, enqueue(t, store, 1)...)
	if status, got := post(t, a, queueAPI+"pending_tasks/"+ids[10_050]+":archive", ""); status != 204 {
		t.Fatalf("%d %s", status, got)
	}
	wantArchived(t, store, rdb, ids)
}

func TestAsynqmon_archives_what_it_is_told_to(t *testing.T) {
	t.Parallel()
	a, store, rdb := newArchive(t)
	ids := enqueue(t, store, 1)
	active, err := store.Take(t.Context(), queue.Default, false)
	if err != nil || active.ID != ids[0] {
		t.Fatalf("%+v, %v", active, err)
	}
	ids = enqueue(t, store, 4)
	client := asynq.NewClientFromRedisClient(rdb)
	var grouped []string
	for range 3 {
		info, err := client.Enqueue(asynq.NewTask("message:send", nil), asynq.Queue(queue.Default), asynq.Group("some group"))
		if err != nil {
			t.Fatal(err)
		}
		grouped = append(grouped, info.ID)
	}
	group := queueAPI + "groups/some%20group/aggregating_tasks"
	for _, c := range []struct {
		path, body string
		status     int
		answer     string
	}{
		{queueAPI + "pending_tasks/" + ids[0] + ":archive", "", 204, ""},
		{queueAPI + "pending_tasks/" + ids[0] + ":archive", "", 409, "the task is archived by now and cannot be archived"},
		{queueAPI + "pending_tasks/" + active.ID + ":archive", "", 409, "the task is active by now and cannot be archived"},
		{queueAPI + "pending_tasks/" + uuid.Nil.String() + ":archive", "", 404, "there is no such task (any more)"},
		{
			queueAPI + "pending_tasks:batch_archive", fmt.Sprintf(`{"task_ids":[%q,%q,%q]}`, ids[1], active.ID, ids[2]), 200,
			fmt.Sprintf(`{"archived_ids":[%q,%q],"error_ids":[%q]}`, ids[1], ids[2], active.ID),
		},
		{queueAPI + "pending_tasks:batch_archive", `{"task_ids":[]}`, 200, `{"archived_ids":[],"error_ids":[]}`},
		{queueAPI + "pending_tasks:batch_archive", `{"ids":[]}`, 400, `json: unknown field "ids"`},
		{queueAPI + "retry_tasks:archive_all", "", 200, `{"archived":0}`},
		{queueAPI + "pending_tasks:archive_all", "", 200, `{"archived":1}`},
		{group + "/" + grouped[0] + ":archive", "", 204, ""},
		{group + ":batch_archive", fmt.Sprintf(`{"task_ids":[%q]}`, grouped[1]), 200, fmt.Sprintf(`{"archived_ids":[%q],"error_ids":[]}`, grouped[1])},
		{group + ":archive_all", "", 200, `{"archived":1}`},
		// What is not ours, or no archiving, is asynqmon's.
		{"/asynqmon/api/queues/elsewhere/pending_tasks:archive_all", "", 500, `INTERNAL_ERROR: INTERNAL_ERROR: queue "elsewhere" does not exist`},
		{queueAPI + "scheduled_tasks/" + uuid.Nil.String() + ":run", "", 500, ""},
	} {
		if status, got := post(t, a, c.path, c.body); status != c.status || (c.answer != "" && got != c.answer) {
			t.Errorf("%s %s: %d %s, want %d %s", c.path, c.body, status, got, c.status, c.answer)
		}
	}
	wantArchived(t, store, rdb, append(ids, grouped...))
	if n := rdb.Exists(t.Context(), "asynq:{default}:groups", "asynq:{default}:g:some group").Val(); n != 0 {
		t.Errorf("%d keys of the group are left", n)
	}
}

func TestAsynqmon_archives_nothing_for_readers(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	enqueue(t, store, 1)
	a := newAdmin(t, func(o *Options) { o.Redis = rdb })
	w := ask(t, a, http.MethodPost, queueAPI+"pending_tasks:archive_all", http.NoBody, nil)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "read-only") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantArchived(t, store, rdb, nil)
}

// asynqmon shows the answer as it is.
func TestAsynqmon_says_why_it_could_not_archive(t *testing.T) {
	t.Parallel()
	a, store, rdb := newArchive(t)
	ids := enqueue(t, store, 1)
	rdb.Set(t.Context(), queue.DeadKey(queue.Default), "somebody wrote this", 0)
	for path, body := range map[string]string{
		"pending_tasks:archive_all": "", "pending_tasks/" + ids[0] + ":archive": "", "pending_tasks:batch_archive": `{"task_ids":["` + ids[0] + `"]}`,
	} {
		if status, got := post(t, a, queueAPI+path, body); status != 500 || !strings.Contains(got, "Redis holds something that is not layerq's") {
			t.Errorf("%s: %d %s", path, status, got)
		}
	}
	if infos, err := store.Queues(t.Context()); err != nil || infos[1].Pending != 1 {
		t.Errorf("%+v, %v", infos[1], err)
	}
}
