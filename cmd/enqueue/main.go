// Command enqueue hands tasks over to a fleet of workers, and tells what became
// of them. "enqueue --help" describes it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once, whatever it is doing.
	context.AfterFunc(ctx, stop)
	redis.SetLogger(silence{})
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}

// silence drops what the Redis client prints: every failure comes back as an
// error as well, and is said once.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
