package layer_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

func ExampleMessagesService_Send() {
	api, stop := serve()
	defer stop()
	message, err := api.Messages.Send(context.Background(), chat(api, "ana", "boris"), uuid.New(), layer.SendMessageRequest{
		Sender: layer.FromName("Harbour master"),
		Parts: []layer.Part{
			layer.Text("tide is in"),
			{MIMEType: "image/gif", Body: "R0lGODlhAQABAAAAACw=", Encoding: layer.EncodingBase64},
		},
		Notification: &layer.Notification{
			Title: "Harbour", Text: "tide is in", Sound: "bell.aiff",
			Recipients: layer.Overrides{{UserID: "boris", Text: "the tide is in, Boris"}},
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(message.Sender.Name, len(message.Parts))
	// Output: Harbour master 2
}

func ExampleMessagesService_Send_twice() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana")

	intent := uuid.New() // one per message, kept for every repetition
	for range 2 {
		if _, err := api.Messages.SendTextFromName(ctx, conversation, intent, "Harbour", "tide is in"); err != nil {
			panic(err)
		}
	}
	page, err := api.Messages.List(ctx, conversation, layer.ListOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println("2 calls,", page.Total, "message")
	// Output: 2 calls, 1 message
}

func ExampleMessagesService_Send_tooLarge() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana")
	req := layer.SendMessageRequest{Sender: layer.FromUser("ana"), Parts: []layer.Part{layer.Text("see:"), layer.Text(strings.Repeat("x", 3100))}}

	_, err := api.Messages.Send(ctx, conversation, uuid.New(), req)
	fmt.Println(err)
	message, err := api.Messages.SendRich(ctx, conversation, uuid.New(), req)
	if err != nil {
		panic(err)
	}
	fmt.Println("uploaded:", message.Parts[1].Content.Size, "bytes")
	// Output:
	// layer: messages.send: parts[1].body: is 3100 bytes, Layer takes at most 2048; upload it as rich content
	// uploaded: 3100 bytes
}

func ExampleMessagesService_Schedule() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana")
	req := layer.SendMessageRequest{Sender: layer.FromUser("ana"), Parts: []layer.Part{layer.Text("wait for it")}}
	_, err := api.Messages.Schedule(ctx, conversation, uuid.New(), req, layer.Schedule{Delay: 30 * time.Second, TypingIndicator: 3 * time.Second})
	if err != nil {
		panic(err)
	}
	page, err := api.Messages.List(ctx, conversation, layer.ListOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Total, "messages yet")
	// Output: 0 messages yet
}

func ExampleMessagesService_All() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana", "boris")
	for _, text := range []string{"one", "two", "three"} {
		if _, err := api.Messages.SendTextFromUser(ctx, conversation, uuid.New(), "ana", text); err != nil {
			panic(err)
		}
	}
	for message, err := range api.Messages.All(ctx, conversation, layer.ListOptions{PageSize: 2}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(message.Parts[0].Body)
	}
	// Output:
	// three
	// two
	// one
}

func ExampleMessagesService_SendReceiptAsUser() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana", "boris")
	message, err := api.Messages.SendTextFromUser(ctx, conversation, uuid.New(), "ana", "tide is in")
	if err != nil {
		panic(err)
	}
	if err := api.Messages.SendReceiptAsUser(ctx, "boris", message.ID, layer.ReceiptRead); err != nil {
		panic(err)
	}
	got, err := api.Messages.Get(ctx, conversation, message.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(got.RecipientStatus["boris"])
	// Output: read
}
