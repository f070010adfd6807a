package holds

import (
	"testing"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// BenchmarkOpen is what a task with one call costs while nothing is held.
func BenchmarkOpen(b *testing.B) {
	k := New(redistest.New(b), Options{Token: func() string { return "a token of usual length, 0123456789" }, App: "app"})
	defer k.Close()
	limit := k.Limiter(nil)
	b.ReportAllocs()
	for b.Loop() {
		pass, err := k.Enter(b.Context(), queue.Default)
		if err != nil {
			b.Fatal(err)
		}
		release, err := limit.Acquire(WithPass(b.Context(), pass))
		if err != nil {
			b.Fatal(err)
		}
		release(sent)
		pass.Release()
	}
}
