package tasks_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/tasks/taskstest"
)

// A key says what the task means. The same key again is the same task; with
// other args it is a mistake, and no silent duplicate.
func ExampleKey() {
	t := &exampleT{}
	defer t.end()
	client, ctx := taskstest.NewRecorder(t).Client(), context.Background()

	block := tasks.BlockUser{Owner: "ana", User: "boris"}
	for range 2 {
		info, err := client.Enqueue(ctx, block, tasks.Key("report-17"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(info.ID, info.State, "duplicate:", info.Duplicate)
	}

	block.User = "chen"
	_, err := client.Enqueue(ctx, block, tasks.Key("report-17"))
	if conflict, ok := errors.AsType[*tasks.ConflictError](err); ok {
		fmt.Println("conflict with a task that is", conflict.Existing.State)
	}
	// Output:
	// a1c7d887-8c10-5e14-8b82-8242ec12feb8 pending duplicate: false
	// a1c7d887-8c10-5e14-8b82-8242ec12feb8 pending duplicate: true
	// conflict with a task that is pending
}

// The UUID of a key can be derived anywhere.
func ExampleKeyID() {
	fmt.Println(tasks.KeyID(tasks.TypeSendMessage, "order-1234-shipped"))
	// Output: 5d70f275-b216-535c-a20c-427fffaad655
}
