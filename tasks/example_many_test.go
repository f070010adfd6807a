package tasks_test

import (
	"context"
	"fmt"

	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/tasks/taskstest"
)

// Each task has its answer, in the order of the list; a wrong one does not stop
// the others.
func ExampleClient_EnqueueMany() {
	t := &exampleT{}
	defer t.end()
	client := taskstest.NewRecorder(t).Client()

	var requests []tasks.Request
	for _, user := range []string{"boris", "", "boris"} {
		requests = append(requests, tasks.Request{
			Task:    tasks.BlockUser{Owner: "ana", User: user},
			Options: []tasks.Option{tasks.Key("ana blocks " + user), tasks.Queue("bulk")},
		})
	}
	answers, err := client.EnqueueMany(context.Background(), requests)
	if err != nil {
		fmt.Println("Redis could not be asked about all of them:", err)
	}
	for i, a := range answers {
		switch {
		case a.Err != nil:
			fmt.Printf("%d: %v\n", i, a.Err)
		case a.Info.Duplicate:
			fmt.Printf("%d: was there already\n", i)
		default:
			fmt.Printf("%d: %s\n", i, a.Info.State)
		}
	}
	// Output:
	// 0: pending
	// 1: tasks: user:block: user: is missing or empty
	// 2: was there already
}
