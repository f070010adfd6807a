package taskstest_test

import (
	"context"
	"fmt"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/tasks/taskstest"
)

// ship is the application's code.
func ship(ctx context.Context, client *tasks.Client, conversation layer.ConversationID, order string) error {
	_, err := client.Enqueue(ctx, tasks.SendMessage{
		Conversation: conversation,
		Sender:       layer.FromName("Shop"),
		Parts:        []tasks.Part{tasks.Text("Order " + order + " is on its way.")},
	}, tasks.Key("shipped "+order))
	return err
}

// Look at what the application enqueued, without any worker.
func ExampleRequireEnqueued() {
	t := &fakeT{} // a test has its *testing.T
	defer t.end()
	rec := taskstest.NewRecorder(t)

	for range 2 { // the event came twice
		if err := ship(context.Background(), rec.Client(), layer.ConversationID{1}, "1234"); err != nil {
			fmt.Println(err)
		}
	}
	sent := taskstest.RequireEnqueued[tasks.SendMessage](t, rec) // exactly one
	fmt.Println(sent.Sender.Name, "-", sent.Parts[0].Body)
	// Output: Shop - Order 1234 is on its way.
}

// Execute it against an emulated Layer, and look at what users see.
func ExampleRecorder_Perform() {
	t := &fakeT{}
	defer t.end()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	conversation := srv.AddConversation("ana")

	if err := ship(context.Background(), rec.Client(), conversation, "1234"); err != nil {
		fmt.Println(err)
	}
	for _, info := range rec.Perform(t, srv.Client(t)) {
		fmt.Println(info.Type, info.State)
	}
	srv.WantMessages(t, conversation, "Order 1234 is on its way.")
	fmt.Println(len(t.reported), "complaints")
	// Output:
	// message:send completed
	// 0 complaints
}
