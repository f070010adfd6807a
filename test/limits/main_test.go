//go:build limits && linux

package limits

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/layerq/layerq/test/rig"
)

var long = flag.Bool("long", false, "run everything, as long as it takes for figures")

// programs are those under test.
var programs rig.Programs

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if programs, err = rig.Build("", "worker", "layer-emulator"); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		return 1
	}
	defer programs.Remove()
	code := m.Run()
	if err := rig.Leaks(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "limits:", err)
		return 1
	}
	return code
}
