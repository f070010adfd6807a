// Command worker is the worker pool: it takes tasks from Redis and executes
// them against the Layer API.
package main

import (
	"os"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/redisurl"
)

func main() {
	redisurl.Quiet()
	ctx, stop := console.Signals("worker", os.Stderr)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
