package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redischeck"
)

const (
	// archivePatience is shorter than what an answer may take; see [Serve].
	archivePatience = 25 * time.Second

	// maxArchiveBytes is what asynqmon takes of the ids of a request.
	maxArchiveBytes = 1_000_000
)

// An archiver archives tasks in asynqmon's place, and answers as asynqmon does. asynq's scripts trim the archive
// to 10,000 tasks in the step in which they archive, so that those beyond would be in no list; our own trims nothing.
type archiver struct {
	store *queue.Store
	next  http.Handler
}

// archiving serves what archives tasks of our queues, and leaves everything else to next, which is asynqmon.
func archiving(store *queue.Store, next http.Handler) http.Handler {
	a := &archiver{store, next}
	mux := http.NewServeMux()
	mux.Handle("/", next)
	const ofQueue = "POST " + monitorPath + "/api/queues/{queue}/"
	handle := func(tasks string, all func(context.Context, *http.Request) (int, error)) {
		mux.Handle(ofQueue+tasks+":archive_all", a.ours(a.all(all)))
		mux.Handle(ofQueue+tasks+":batch_archive", a.ours(a.batch))
		mux.Handle(ofQueue+tasks+"/{task}", a.ours(a.one))
	}
	for _, state := range []queue.State{queue.Pending, queue.Scheduled, queue.Retry} {
		handle(string(state)+"_tasks", func(ctx context.Context, r *http.Request) (int, error) {
			return store.ArchiveAll(ctx, r.PathValue("queue"), state)
		})
	}
	handle("groups/{group}/aggregating_tasks", func(ctx context.Context, r *http.Request) (int, error) {
		return store.ArchiveGroup(ctx, r.PathValue("queue"), r.PathValue("group"))
	})
	return mux
}

// ours leaves the queues of other programs to asynqmon: no worker of ours looks after their archive.
func (a *archiver) ours(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(queue.Names, r.PathValue("queue")) {
			a.next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), archivePatience)
		defer cancel()
		serve(w, r.WithContext(ctx))
	}
}

func (a *archiver) all(archive func(context.Context, *http.Request) (int, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := archive(r.Context(), r)
		if err != nil {
			http.Error(w, fmt.Sprintf("%d tasks were archived, the others were not: Redis %s", n, redischeck.Explain(err)), http.StatusInternalServerError)
			return
		}
		writeJSON(w, struct {
			Archived int `json:"archived"`
		}{n})
	}
}

func (a *archiver) batch(w http.ResponseWriter, r *http.Request) {
	var req struct {
		IDs []string `json:"task_ids"`
	}
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxArchiveBytes))
	in.DisallowUnknownFields()
	if err := in.Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	states, err := a.store.Archive(r.Context(), r.PathValue("queue"), req.IDs)
	if err != nil {
		http.Error(w, "Redis "+redischeck.Explain(err), http.StatusInternalServerError)
		return
	}
	out := struct {
		Archived []string `json:"archived_ids"`
		Failed   []string `json:"error_ids"`
	}{[]string{}, []string{}}
	for i, state := range states {
		if state.MayArchive() {
			out.Archived = append(out.Archived, req.IDs[i])
		} else {
			out.Failed = append(out.Failed, req.IDs[i])
		}
	}
	writeJSON(w, out)
}

// one serves ".../TASK:archive"; asynqmon has other verbs there.
func (a *archiver) one(w http.ResponseWriter, r *http.Request) {
	id, found := strings.CutSuffix(r.PathValue("task"), ":archive")
	if !found {
		a.next.ServeHTTP(w, r)
		return
	}
	states, err := a.store.Archive(r.Context(), r.PathValue("queue"), []string{id})
	switch {
	case err != nil:
		http.Error(w, "Redis "+redischeck.Explain(err), http.StatusInternalServerError)
	case states[0] == "":
		http.Error(w, "there is no such task (any more)", http.StatusNotFound)
	case !states[0].MayArchive():
		http.Error(w, fmt.Sprintf("the task is %s by now and cannot be archived", states[0]), http.StatusConflict)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // a caller that went away needs no answer
}
