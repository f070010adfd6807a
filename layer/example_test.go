package layer_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// serve starts an emulator of Layer for an example, and gives a client for it.
// In tests, layertest.NewServer(t) does this, in memory.
func serve() (api *layer.Client, stop func()) {
	emulator := layertest.New(layertest.Config{})
	server := httptest.NewServer(emulator)
	app, err := layer.ParseAppID(layertest.DefaultAppID)
	if err != nil {
		panic(err)
	}
	api, err = layer.New(app, layertest.DefaultToken, layer.WithBaseURL(server.URL))
	if err != nil {
		panic(err)
	}
	return api, func() {
		api.Close()
		server.Close()
		if err := emulator.Close(); err != nil {
			panic(err)
		}
	}
}

// chat makes a conversation for an example to go on with.
func chat(api *layer.Client, participants ...string) layer.ConversationID {
	made, err := api.Conversations.Create(context.Background(), uuid.New(), layer.CreateConversationRequest{Participants: participants})
	if err != nil {
		panic(err)
	}
	return made.ID
}

func Example() {
	api, stop := serve() // layer.New(app, token) for a server elsewhere
	defer stop()
	ctx := context.Background()

	conversation, err := api.Conversations.Create(ctx, uuid.New(), layer.CreateConversationRequest{
		Participants: []string{"ana", "boris"},
		Metadata:     layer.Metadata{"topic": "harbour"},
	})
	if err != nil {
		panic(err)
	}
	message, err := api.Messages.SendTextFromUser(ctx, conversation.ID, uuid.New(), "ana", "tide is in")
	if err != nil {
		panic(err)
	}
	fmt.Println(message.Parts[0].Body, message.RecipientStatus)
	// Output: tide is in map[ana:read boris:sent]
}

func ExampleNew() {
	app, err := layer.ParseAppID("layer:///apps/staging/6c1f0d2e-8a44-4b7e-9d53-2f10a7c9e3b5")
	if err != nil {
		panic(err)
	}
	api, err := layer.New(app, "token", layer.WithBaseURL("https://layer.example"), layer.WithVersion("1.1"), layer.WithTimeout(5*time.Second))
	if err != nil {
		panic(err)
	}
	defer api.Close()
	fmt.Println(api.BaseURL(), api.Version())

	_, err = layer.New(app, "token", layer.WithVersion("3.0"))
	fmt.Println(err)
	// Output:
	// https://layer.example 1.1
	// layer: version 3.0: is another API, with identities in place of user ids, and out of scope here; use 1.0 or 1.1
}

func ExampleParseConversationID() {
	id, err := layer.ParseConversationID("0B7D9A66-51C2-4E0F-A8D1-7D3C4E92F610")
	fmt.Println(id, err)
	_, err = layer.ParseConversationID("layer:///messages/0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610")
	fmt.Println(err)
	// Output:
	// layer:///conversations/0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610 <nil>
	// conversation: "layer:///messages/0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610" is the id of another kind (message); want a UUID or layer:///conversations/UUID
}
