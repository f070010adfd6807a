// Command worker is the worker pool: it takes tasks from Redis and executes
// them against the Layer API.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9"
)

func main() {
	// go-redis writes to standard error by itself, a line for every connection
	// that breaks. What it has to say comes back as errors too.
	redis.SetLogger(silence{})

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel() // drain
		<-signals
		os.Exit(exitFailed) // whoever sends a second one does not want to wait
	}()
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
