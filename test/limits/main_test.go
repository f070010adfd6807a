//go:build limits && linux

package limits

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

var long = flag.Bool("long", false, "run everything, as long as it takes for figures")

// programs is where the programs under test are.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "limits")
	if err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "limits:", err)
		}
	}()
	programs = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../cmd/worker", "../../cmd/layer-emulator")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "limits: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	// toxiproxy leaves a goroutine behind when a connection ends in the middle of a piece of data.
	proxied := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")
	if err := goleak.Find(proxied); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "limits:", err)
		return 1
	}
	return code
}
