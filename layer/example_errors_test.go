package layer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

func ExampleError() {
	api, stop := serve()
	defer stop()
	ctx := context.Background()
	unknown, err := layer.ParseConversationID("0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610")
	if err != nil {
		panic(err)
	}

	_, err = api.Messages.SendTextFromName(ctx, unknown, uuid.New(), "Harbour", "tide is in")
	fmt.Println(errors.Is(err, layer.CodeNotFound), layer.IsTransient(err), layer.Answered(err))
	if e, ok := errors.AsType[*layer.Error](err); ok {
		fmt.Println(e.Method, e.Status, e.Code, e.Number)
	}
	// Output:
	// true false true
	// POST 404 not_found 102
}

func ExampleFieldErrors() {
	req := layer.SendMessageRequest{Parts: []layer.Part{layer.Text("fine"), {Body: "no type"}}}
	for _, e := range layer.FieldErrors(req.Validate()) {
		fmt.Println(e)
	}
	// Output:
	// sender: needs one of user_id and name
	// parts[1].mime_type: is missing or empty
}

func ExampleRetryAfter() {
	// A server that is busy for a while.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	api, err := layer.New(layer.AppID(uuid.New()), "token", layer.WithBaseURL(server.URL))
	if err != nil {
		panic(err)
	}
	defer api.Close()

	err = api.Blocks.Block(context.Background(), "ana", "boris")
	wait, asked := layer.RetryAfter(err)
	fmt.Println(layer.CodeOf(err), layer.IsTransient(err), wait, asked)
	// Output: rate_limit_exceeded true 2m0s true
}

// oneAtATime is a limiter for a single process: a call may start when the one
// before has been answered for a while.
type oneAtATime struct {
	free  chan struct{}
	pause time.Duration
}

func (l oneAtATime) Acquire(ctx context.Context) (func(layer.Answer), error) {
	select {
	case <-l.free:
		return func(layer.Answer) { time.AfterFunc(l.pause, func() { l.free <- struct{}{} }) }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func ExampleWithLimiter() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	limiter := oneAtATime{free: make(chan struct{}, 1), pause: 20 * time.Millisecond}
	limiter.free <- struct{}{}
	api, err := layer.New(layer.AppID(uuid.New()), "token", layer.WithBaseURL(server.URL), layer.WithLimiter(limiter))
	if err != nil {
		panic(err)
	}
	defer api.Close()

	start := time.Now()
	for range 3 {
		if err := api.Blocks.Block(context.Background(), "ana", "boris"); err != nil {
			panic(err)
		}
	}
	fmt.Println(time.Since(start) >= 40*time.Millisecond)
	// Output: true
}

func ExampleWithObserver() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	observer := layer.ObserverFunc(func(_ context.Context, a layer.Attempt) {
		fmt.Println(a.Operation, a.Method, a.Number, a.Status, a.Duration > 0)
	})
	api, err := layer.New(layer.AppID(uuid.New()), "token", layer.WithBaseURL(server.URL), layer.WithObserver(observer))
	if err != nil {
		panic(err)
	}
	defer api.Close()
	if err := api.Blocks.Unblock(context.Background(), "ana", "boris"); err != nil {
		panic(err)
	}
	// Output: blocks.unblock DELETE 1 204 true
}

func ExamplePatch_Apply() {
	before := map[string]any{"participants": []any{"ana", "boris"}, "metadata": map[string]any{"topic": "harbour"}}
	after, err := layer.Patch{}.
		Remove("participants", "boris").
		Add("participants", "ana", "chen").
		Set("metadata.pier.number", "7").
		Delete("metadata.topic").
		Apply(before)
	fmt.Println(after, err)
	// Output: map[metadata:map[pier:map[number:7]] participants:[ana chen]] <nil>
}
