package tasks

import (
	"testing"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

// perform executes a task as a worker does, from its payload.
func perform(t *testing.T, api *layer.Client, id uuid.UUID, task Task) (Result, error) {
	t.Helper()
	if err := task.Validate(); err != nil {
		t.Fatal(err)
	}
	payload, err := Encode(task)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := Decode(task.Type(), payload)
	if err != nil {
		t.Fatal(err)
	}
	return Perform(t.Context(), api, id, decoded)
}

// performTwice executes a task and then again, as after a crash, and wants the
// same result.
func performTwice(t *testing.T, api *layer.Client, id uuid.UUID, task Task) Result {
	t.Helper()
	first, err := perform(t, api, id, task)
	if err != nil {
		t.Fatal(err)
	}
	again, err := perform(t, api, id, task)
	if err != nil {
		t.Fatalf("repeated: %v", err)
	}
	if first != again {
		t.Errorf("repeated: %+v, want %+v", again, first)
	}
	return first
}

func wantCode(t *testing.T, err error, want layer.Code) {
	t.Helper()
	if got := layer.CodeOf(err); got != want {
		t.Errorf("code %q (%v), want %q", got, err, want)
	}
}
