package queue_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// BenchmarkEnqueue measures how many tasks get into Redis a second, beside bare asynq:
//
//	REDIS_ADDR=127.0.0.1:6379 go test -run '^$' -bench Enqueue -benchtime 20000x ./internal/queue
func BenchmarkEnqueue(b *testing.B) {
	for _, producers := range []int{1, 64} {
		for _, batch := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("layerq/producers=%d/batch=%d", producers, batch), func(b *testing.B) {
				store := queue.NewStore(redistest.New(b))
				share(b, producers, func(n int) error {
					for n > 0 {
						entries := make([]queue.Entry, min(n, batch))
						for i := range entries {
							entries[i].Message = message(queue.Default)
						}
						if _, err := store.Enqueue(b.Context(), entries); err != nil {
							return err
						}
						n -= len(entries)
					}
					return nil
				})
			})
		}
		b.Run(fmt.Sprintf("asynq/producers=%d", producers), func(b *testing.B) {
			client := asynq.NewClientFromRedisClient(redistest.New(b))
			payload := message(queue.Default).Payload
			share(b, producers, func(n int) error {
				for range n {
					_, err := client.EnqueueContext(b.Context(), asynq.NewTask("message:send", payload),
						asynq.TaskID(uuid.NewString()), asynq.Queue(queue.Default), asynq.MaxRetry(queue.MaxRetry))
					if err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// share divides b.N tasks among the producers.
func share(b *testing.B, producers int, enqueue func(n int) error) {
	b.Helper()
	b.ResetTimer()
	var all sync.WaitGroup
	for i := range producers {
		all.Go(func() {
			if err := enqueue((b.N + i) / producers); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

func BenchmarkMessage(b *testing.B) {
	m := message(queue.Default)
	encoded := m.Encode()
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Encode()
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := queue.DecodeMessage(encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
}
