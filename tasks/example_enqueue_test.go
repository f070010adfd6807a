package tasks_test

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// enqueueShipped is shown in the README; a test keeps the two the same.
func enqueueShipped(ctx context.Context, redisURL string, conversation layer.ConversationID) error {
	// README: begin
	client, err := tasks.NewClient(redisURL) // one for the whole application
	if err != nil {
		return err
	}
	defer client.Close()

	info, err := client.Enqueue(ctx, tasks.SendMessage{
		Conversation: conversation,
		Sender:       layer.Sender{Name: "Shop"},
		Parts:        []tasks.Part{tasks.Text("Your order is on its way.")},
	}, tasks.Key("order-1234-shipped"))
	if err != nil {
		return err // the field that Layer would refuse, or why Redis cannot be reached
	}
	fmt.Println(info.State, info.Duplicate, info.ID)
	// README: end
	return nil
}

// The key names what is meant: enqueueing it again finds the same task.
func ExampleClient_Enqueue() {
	srv := miniredis.NewMiniRedis()
	if err := srv.Start(); err != nil {
		panic(err)
	}
	defer srv.Close()
	conversation, err := layer.ParseConversationID("layer:///conversations/f3cc7b32-3c92-11e4-baad-164230d1df67")
	if err != nil {
		panic(err)
	}
	for range 2 {
		if err := enqueueShipped(context.Background(), "redis://"+srv.Addr(), conversation); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// pending false 5d70f275-b216-535c-a20c-427fffaad655
	// pending true 5d70f275-b216-535c-a20c-427fffaad655
}
