package permits

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/redistest"
)

// What a permit costs: acquire and release with a limit that never binds, beside
// a limiter that makes one plain round trip for every call.
func BenchmarkAcquire(b *testing.B) {
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l, err := New(redistest.New(b), Options{Limit: Limit{1_000_000, 100 * time.Millisecond}})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			scripts := count(l)
			share(b, callers, func() error {
				release, err := l.Acquire(b.Context())
				if err == nil {
					release(done)
				}
				return err
			})
			b.ReportMetric(float64(scripts.Load())/float64(b.N), "scripts/op")
		})
		b.Run(fmt.Sprintf("one round trip per call/callers=%d", callers), func(b *testing.B) {
			rdb := redistest.New(b)
			share(b, callers, func() error { return rdb.Incr(b.Context(), "calls").Err() })
			b.ReportMetric(1, "scripts/op")
		})
	}
}

// share makes b.N calls with some callers.
func share(b *testing.B, callers int, call func() error) {
	b.Helper()
	b.ReportAllocs()
	var made atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for made.Add(1) <= int64(b.N) {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
}

// What 200 calls that wait cost Redis, in scripts per second.
func BenchmarkWaiting(b *testing.B) {
	for _, limit := range []Limit{{100, time.Second}, {1000, time.Second}, {1, time.Hour}} {
		for _, workers := range []int{1, 4} {
			b.Run(fmt.Sprintf("limit=%s/workers=%d", limit, workers), func(b *testing.B) {
				var scripts []*atomic.Int64
				var judge arrivals
				ctx, cancel := context.WithCancel(b.Context())
				defer cancel()
				var all sync.WaitGroup
				for range workers {
					l, err := New(redistest.New(b), Options{Limit: limit})
					if err != nil {
						b.Fatal(err)
					}
					defer l.Close()
					scripts = append(scripts, count(l))
					for range 200 / workers {
						all.Go(func() {
							for {
								release, err := l.Acquire(ctx)
								if err != nil {
									return
								}
								judge.arrive()
								<-time.After(5 * time.Millisecond)
								release(done)
							}
						})
					}
				}
				b.ResetTimer()
				for range b.N {
					<-time.After(time.Second)
				}
				b.StopTimer()
				seconds := b.Elapsed().Seconds()
				cancel()
				all.Wait()
				sum := int64(0)
				for _, n := range scripts {
					sum += n.Load()
				}
				b.ReportMetric(float64(sum)/seconds, "scripts/s")
				b.ReportMetric(float64(len(judge.at))/seconds, "calls/s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// counting counts scripts.
type counting struct {
	exchanger
	n atomic.Int64
}

func (c *counting) exchange(ctx context.Context, req *request) (reply, error) {
	c.n.Add(1)
	return c.exchanger.exchange(ctx, req)
}

func count(l *Limiter) *atomic.Int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &counting{exchanger: l.store}
	l.store = c
	return &c.n
}
