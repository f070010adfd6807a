package tasks_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/tasks/taskstest"
)

// A file too large for a message is uploaded; a small one is read when the task
// is enqueued, so that any worker has it.
func ExamplePart_source() {
	t := &exampleT{}
	defer t.end()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	conversation := srv.AddConversation("ana")

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in the temporary directory does no harm
	chart := filepath.Join(dir, "chart.png")
	if err := os.WriteFile(chart, bytes.Repeat([]byte("tide"), 1_000), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	_, err = rec.Client().Enqueue(context.Background(), tasks.SendMessage{
		Conversation: conversation,
		Sender:       layer.FromName("Harbour"),
		Parts:        []tasks.Part{tasks.Text("Tides of today:"), {MIMEType: "image/png", Source: "file://" + chart}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, info := range rec.Perform(t, srv.Client(t)) {
		fmt.Println(info.State)
	}
	fmt.Println(srv.Stats().ByStatus)
	// Output:
	// completed
	// map[200:1 201:2]
}
