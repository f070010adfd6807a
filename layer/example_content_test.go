package layer_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

func ExampleContentService_Upload() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana", "boris")

	// Any reader of a known size; a file is streamed, and can be sent again.
	picture := strings.NewReader(strings.Repeat("pixel ", 10_000))
	content, err := api.Content.Upload(ctx, conversation, uuid.New(), layer.UploadRequest{MIMEType: "image/png", Size: picture.Size(), Body: picture})
	if err != nil {
		panic(err)
	}
	message, err := api.Messages.Send(ctx, conversation, uuid.New(), layer.SendMessageRequest{
		Sender: layer.FromUser("ana"),
		Parts:  []layer.Part{layer.Text("the harbour"), content.Part("image/png")},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(message.Parts[1].MIMEType, message.Parts[1].Content.Size)
	// Output: image/png 60000
}

func ExampleContentService_Download() {
	api, stop := serve()
	defer stop()
	ctx, conversation := context.Background(), chat(api, "ana")
	message, err := api.Messages.SendRich(ctx, conversation, uuid.New(), layer.SendMessageRequest{
		Sender: layer.FromUser("ana"), Parts: []layer.Part{layer.Text(strings.Repeat("a long story ", 1000))},
	})
	if err != nil {
		panic(err)
	}

	body, err := api.Content.Download(ctx, conversation, *message.Parts[0].Content)
	if err != nil {
		panic(err)
	}
	defer body.Close()
	n, err := io.Copy(io.Discard, body)
	fmt.Println(n, err)
	// Output: 13000 <nil>
}
