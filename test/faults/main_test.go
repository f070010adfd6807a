//go:build faults && linux

package faults

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/test/rig"
)

var (
	long   = flag.Bool("long", false, "run every row in its long form, and bare asynq beside all that its handler can run")
	update = flag.Bool("update", false, "write the tables of docs/reliability.md anew")

	// seeds are those of this run: each row runs once with each.
	seeds []uint64
	// programs are those under test, with the fail points in them.
	programs rig.Programs
)

const (
	// seedsName is the variable with the seeds, with commas between them.
	seedsName = "FAULTS_SEED"
	// tasksName is the variable with the number of tasks of a row.
	tasksName = "FAULTS_TASKS"
	// builtPrograms is where a run within a run finds the programs.
	builtPrograms = "FAULTS_PROGRAMS"
)

func TestMain(m *testing.M) {
	if os.Getenv(asBareWorker) != "" {
		os.Exit(bareWorker())
	}
	redis.SetLogger(silence{}) // a line for every connection that breaks
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func run(m *testing.M) (int, error) {
	var err error
	if seeds, err = parseSeeds(os.Getenv(seedsName)); err != nil {
		return 1, err
	}
	fmt.Fprintf(os.Stderr, "faults: %d tasks a row; to repeat it: %s=%s\n", rowTasks(), seedsName, formatSeeds(","))
	if err := makePlaces(); err != nil {
		return 1, err
	}
	if programs = rig.Programs(os.Getenv(builtPrograms)); programs != "" { // we are a row of another run
		return m.Run(), nil
	}
	if programs, err = rig.Build("faults", "worker", "enqueue", "layer-emulator"); err != nil {
		return 1, err
	}
	defer programs.Remove()
	code := m.Run()
	results.print(os.Stderr)
	if err := results.update(); err != nil {
		return code, err
	}
	return code, rig.Leaks()
}

// makePlaces lets as many rows run at a time as -parallel says, and more than there are cores if it
// says nothing: they wait for leases most of the time.
func makePlaces() error {
	const name, all = "test.parallel", "1000"
	n := 8
	if *long {
		n = 4
	}
	flag.Visit(func(f *flag.Flag) {
		if given, ok := f.Value.(flag.Getter); ok && f.Name == name {
			n, _ = given.Get().(int)
		}
	})
	places = make(chan struct{}, max(1, n))
	return flag.Set(name, all) // they wait for places, not for each other
}

func parseSeeds(list string) ([]uint64, error) {
	if list == "" {
		return []uint64{rand.Uint64N(1_000_000)}, nil
	}
	var parsed []uint64
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: want numbers with commas between them: %w", seedsName, err)
		}
		parsed = append(parsed, n)
	}
	return parsed, nil
}

func formatSeeds(between string) string {
	texts := make([]string, len(seeds))
	for i, n := range seeds {
		texts[i] = strconv.FormatUint(n, 10)
	}
	return strings.Join(texts, between)
}

const (
	shortTasks = 300
	longTasks  = 10_000
)

// rowTasks is how many tasks a row has.
func rowTasks() int {
	if n, err := strconv.Atoi(os.Getenv(tasksName)); err == nil && n > 0 {
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

func newDice(seed uint64, name string) *dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return &dice{rnd: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// n is one of the numbers from 0 to n-1.
func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rnd.IntN(n)
}
