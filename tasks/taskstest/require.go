package taskstest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/layerq/layerq/tasks"
)

// Enqueued returns the tasks of one type that were enqueued, in their order.
func Enqueued[T tasks.Task](t testing.TB, r *Recorder) []T {
	t.Helper()
	var found []T
	for _, rec := range r.Enqueued(t) {
		if task, ok := rec.Task.(T); ok {
			found = append(found, task)
		}
	}
	return found
}

// RequireEnqueued returns the one task of a type that was enqueued. The test
// ends here if there is none, or more than one; other types do not matter.
func RequireEnqueued[T tasks.Task](t testing.TB, r *Recorder) T {
	t.Helper()
	found := Enqueued[T](t, r)
	var zero T
	if len(found) != 1 {
		t.Fatalf("taskstest: %d tasks of type %s were enqueued, want 1; there are: %s", len(found), zero.Type(), summary(r.Enqueued(t)))
		return zero // a fake testing.TB goes on
	}
	return found[0]
}

// RequireNothing ends the test if anything was enqueued.
func RequireNothing(t testing.TB, r *Recorder) {
	t.Helper()
	if all := r.Enqueued(t); len(all) > 0 {
		t.Fatalf("taskstest: want nothing enqueued; there are: %s", summary(all))
	}
}

func summary(all []Recorded) string {
	if len(all) == 0 {
		return "none"
	}
	lines := make([]string, len(all))
	for i, rec := range all {
		lines[i] = fmt.Sprintf("%s %s (%s)", rec.Info.Type, rec.Info.ID, rec.Info.State)
	}
	return strings.Join(lines, ", ")
}
