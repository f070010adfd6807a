package tasks_test

import (
	"context"
	"fmt"
	"time"

	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/tasks/taskstest"
)

// Wait for what a task made. Here the recorder stands in for a worker.
func ExampleClient_Wait() {
	t := &exampleT{}
	defer t.end()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	rec.Start(t, srv.Client(t))
	client := rec.Client()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	info, err := client.Enqueue(ctx, tasks.CreateConversation{Participants: []string{"ana", "boris"}}, tasks.Key("ana and boris"))
	if err != nil {
		fmt.Println(err)
		return
	}
	done, err := client.Wait(ctx, info.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	if done.State == tasks.StateArchived {
		fmt.Println("given up:", done.Error)
		return
	}
	result, err := done.DecodeResult()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(done.State, result.ConversationID)
	// Output: completed layer:///conversations/2f9fb83d-1c3f-5fc0-a3de-a8196f965a16
}
