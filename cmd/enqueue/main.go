// Command enqueue hands tasks over to a fleet of workers, and tells what became
// of them. "enqueue --help" describes it.
package main

import (
	"os"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/redisurl"
)

func main() {
	redisurl.Quiet()
	ctx, stop := console.Signals("enqueue", os.Stderr)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
	stop()
	os.Exit(code)
}
