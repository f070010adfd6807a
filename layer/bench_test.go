package layer_test

import (
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// BenchmarkSend posts messages over connections that are kept alive: one after
// another, and 64 at once as a worker does.
func BenchmarkSend(b *testing.B) {
	for _, at := range []struct {
		name     string
		parallel int
	}{{"one", 0}, {"64-at-once", 32}} {
		b.Run(at.name, func(b *testing.B) {
			c := newBenchServer(b, answer(201, helloAnswer)).client(b)
			b.ReportAllocs()
			if at.parallel == 0 {
				for b.Loop() {
					if _, err := c.Messages.Send(b.Context(), conv, uuid.New(), hello); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.SetParallelism(at.parallel)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := c.Messages.Send(b.Context(), conv, uuid.New(), hello); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkSendWithoutClient is what net/http itself takes for the same.
func BenchmarkSendWithoutClient(b *testing.B) {
	f := newBenchServer(b, answer(201, helloAnswer))
	hc := f.Client()
	b.ReportAllocs()
	for b.Loop() {
		response, err := hc.Post(f.URL, "application/json", strings.NewReader(helloAnswer))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			b.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	for b.Loop() {
		if err := hello.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
