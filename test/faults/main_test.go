//go:build faults && linux

package faults

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

var (
	long   = flag.Bool("long", false, "run every row in its long form, and beside it bare asynq")
	update = flag.Bool("update", false, "write the rows that ran into docs/reliability.md")

	seed = func() uint64 {
		if text := os.Getenv("FAULTS_SEED"); text != "" {
			if n, err := strconv.ParseUint(text, 10, 64); err == nil {
				return n
			}
		}
		return rand.Uint64N(1_000_000)
	}()
	// programs is where the programs under test were built.
	programs string
)

// builtPrograms is where a run within a run finds them.
const builtPrograms = "FAULTS_PROGRAMS"

func TestMain(m *testing.M) {
	if os.Getenv(asBareWorker) != "" {
		os.Exit(bareWorker())
	}
	redis.SetLogger(silence{}) // a line for every connection that breaks
	flag.Parse()
	if err := parallel(); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
	os.Exit(run(m))
}

// parallel lets more short rows run at once than there are cores, unless the caller
// says how many: they wait for leases most of the time.
func parallel() error {
	const name, rows = "test.parallel", "4"
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given || *long {
		return nil
	}
	return flag.Set(name, rows)
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func run(m *testing.M) int {
	fmt.Fprintf(os.Stderr, "faults: seed %d, %d tasks a row; FAULTS_SEED=%d repeats it\n", seed, rowTasks(), seed)
	if programs = os.Getenv(builtPrograms); programs != "" { // we are a row of another run
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // of the system's temporary directory
	programs = dir
	if err := build(dir, "worker", "enqueue", "layer-emulator"); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	code := m.Run()
	results.print(os.Stderr)
	if *update {
		if err := results.write("../../docs/reliability.md"); err != nil {
			fmt.Fprintln(os.Stderr, "faults:", err)
			return 1
		}
	}
	// toxiproxy leaves a goroutine behind when a connection ends in the middle of a piece of data.
	proxied := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")
	if err := goleak.Find(proxied); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	return code
}

// build compiles commands of this module with the fail points in them.
func build(dir string, names ...string) error {
	args := []string{"build", "-tags", "faults", "-o", dir + string(filepath.Separator)}
	for _, name := range names {
		args = append(args, "github.com/layerq/layerq/cmd/"+name)
	}
	return goTool(args...)
}

func goTool(args ...string) error {
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

const (
	shortTasks = 300
	longTasks  = 10_000
)

// rowTasks is how many tasks a row has.
func rowTasks() int {
	if n, err := strconv.Atoi(os.Getenv("FAULTS_TASKS")); err == nil && n > 0 {
		return n
	}
	if *long {
		return longTasks
	}
	return shortTasks
}

// dice are the choices of one row: the same seed and name make the same ones.
type dice struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func newDice(t *testing.T) *dice {
	t.Helper()
	h := fnv.New64a()
	if _, err := h.Write([]byte(t.Name())); err != nil {
		t.Fatal(err)
	}
	return &dice{rnd: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rnd.IntN(n)
}
