package layer_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

func ExampleConversationsService_Create_distinct() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()

	req := layer.CreateConversationRequest{Participants: []string{"ana", "boris"}, Distinct: true, Metadata: layer.Metadata{"topic": "harbour"}}
	first, err := api.Conversations.Create(ctx, uuid.New(), req)
	if err != nil {
		panic(err)
	}
	fmt.Println("existing:", first.Existing)

	req.Metadata = nil // whatever it is
	second, err := api.Conversations.Create(ctx, uuid.New(), req)
	if err != nil {
		panic(err)
	}
	fmt.Println("existing:", second.Existing, "same:", second.ID == first.ID)

	req.Metadata = layer.Metadata{"topic": "boats"}
	_, err = api.Conversations.Create(ctx, uuid.New(), req)
	if existing, ok := layer.ExistingConversation(err); ok {
		fmt.Println("its topic is", existing.Metadata["topic"])
	}
	// Output:
	// existing: false
	// existing: true same: true
	// its topic is harbour
}

func ExampleConversationsService_SetMetadata() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana")

	err := api.Conversations.SetMetadata(ctx, conversation, map[string]any{"pier.number": "7", "topic": "harbour"})
	if err != nil {
		panic(err)
	}
	if err := api.Conversations.DeleteMetadata(ctx, conversation, "topic"); err != nil {
		panic(err)
	}
	got, err := api.Conversations.Get(ctx, conversation)
	if err != nil {
		panic(err)
	}
	fmt.Println(got.Metadata)
	// Output: map[pier:map[number:7]]
}

func ExampleConversationsService_Edit() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana", "boris")

	patch := layer.Patch{}.Add("participants", "chen").Remove("participants", "boris").Set("metadata.topic", "harbour")
	if err := api.Conversations.Edit(ctx, conversation, patch); err != nil {
		panic(err)
	}
	got, err := api.Conversations.Get(ctx, conversation)
	if err != nil {
		panic(err)
	}
	slices.Sort(got.Participants) // a set
	fmt.Println(got.Participants, got.Metadata)
	// Output: [ana chen] map[topic:harbour]
}

func ExampleConversationsService_AllAsUser() {
	api, stop := serve()
	defer stop()
	for range 3 {
		chat(api, "ana", "boris")
	}
	count := 0
	for conversation, err := range api.Conversations.AllAsUser(context.Background(), "ana", layer.ConversationListOptions{PageSize: 2}) {
		if err != nil {
			panic(err)
		}
		count++
		fmt.Println(len(conversation.Participants), "participants,", conversation.UnreadMessageCount, "unread")
	}
	fmt.Println(count, "conversations")
	// Output:
	// 2 participants, 0 unread
	// 2 participants, 0 unread
	// 2 participants, 0 unread
	// 3 conversations
}

func ExampleConversationsService_DeleteAsUser() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana", "boris")
	if err := api.Conversations.DeleteAsUser(ctx, "boris", conversation, layer.DeleteAndLeave); err != nil {
		panic(err)
	}
	got, err := api.Conversations.Get(ctx, conversation)
	if err != nil {
		panic(err)
	}
	fmt.Println(got.Participants)
	// Output: [ana]
}
