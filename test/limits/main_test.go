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
	if err := parallel(); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
	os.Exit(run(m))
}

// parallel lets more fleets run at once than there are cores, unless the caller says how many: most of the
// time they wait for their limit. Figures are of one at a time.
func parallel() error {
	const name = "test.parallel"
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return nil
	}
	return flag.Set(name, inLong("1", "8"))
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
