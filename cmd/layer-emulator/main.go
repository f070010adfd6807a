// Command layer-emulator serves the Layer Platform API on one machine: package
// layer/layertest on a TCP port.
package main

import (
	"os"

	"github.com/layerq/layerq/internal/console"
)

func main() {
	ctx, stop := console.Signals("layer-emulator", os.Stderr)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
