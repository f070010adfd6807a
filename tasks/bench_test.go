package tasks

import (
	"fmt"
	"testing"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
)

func benchMessage() SendMessage {
	return SendMessage{
		Conversation: layer.ConversationID(someID),
		Sender:       layer.FromUser("ana"),
		Parts:        []Part{Text("Your order is on its way.")},
		Notification: &layer.Notification{Text: "Your order is on its way."},
	}
}

func BenchmarkValidateAndEncode(b *testing.B) {
	task := benchMessage()
	b.ReportAllocs()
	for b.Loop() {
		if err := task.Validate(); err != nil {
			b.Fatal(err)
		}
		if _, err := Encode(task); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	payload, err := Encode(benchMessage())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(TypeSendMessage, payload); err != nil {
			b.Fatal(err)
		}
	}
}

// Set REDIS_ADDR to measure with a real Redis.
func BenchmarkEnqueue(b *testing.B) {
	c := benchClient(b)
	task := benchMessage()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Enqueue(b.Context(), task); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEnqueueParallel(b *testing.B) {
	c := benchClient(b)
	task := benchMessage()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Enqueue(b.Context(), task); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkEnqueueMany(b *testing.B) {
	const n = 1_000
	c := benchClient(b)
	requests := make([]Request, n)
	for i := range requests {
		task := benchMessage()
		task.Parts = []Part{Text(fmt.Sprint("message ", i))}
		requests[i] = Request{Task: task}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.EnqueueMany(b.Context(), requests); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "tasks/s")
}

func benchClient(b *testing.B) *Client {
	b.Helper()
	c, err := NewClientFromRedis(redistest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	return c
}
