package tasks_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/tasks"
)

func TestRequestValidate(t *testing.T) {
	t.Parallel()
	good := tasks.BlockUser{Owner: "alice", User: "mallory"}
	if err := (tasks.Request{Task: good, Options: []tasks.Option{tasks.Key("k"), tasks.In(time.Hour)}}).Validate(); err != nil {
		t.Error(err)
	}
	err := tasks.Request{Task: tasks.BlockUser{Owner: "alice"}, Options: []tasks.Option{tasks.Queue("urgent"), tasks.Key("")}}.Validate()
	var invalid *tasks.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var fields []string
	for _, f := range invalid.Fields() {
		fields = append(fields, f.Field)
	}
	if diff := cmp.Diff([]string{"user", "key", "queue"}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if err := (tasks.Request{}).Validate(); !errors.As(err, &invalid) {
		t.Errorf("no task: got %v", err)
	}
}
