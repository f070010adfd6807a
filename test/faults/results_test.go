//go:build faults && linux

package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// table is what docs/reliability.md shows.
type table struct {
	mu   sync.Mutex
	rows map[string]map[engine]*books
}

var results = &table{rows: make(map[string]map[engine]*books)}

// rowNames are the rows in the order of the document. Each is a fault.
var rowNames = []string{
	"worker: kill -9 every 2 s",
	"worker: kill -9 at each step",
	"worker: kill -9 before the call",
	"worker: kill -9 during the call",
	"worker: kill -9 after the call, before it is recorded",
	"worker: kill -9 after the record, which acknowledges too",
	"worker: SIGSTOP for longer than its lease",
	"worker: SIGSTOP between taking a task and calling",
	"worker: SIGSTOP after the answer, until the lease is over",
	"worker: clock 5 minutes ahead",
	"worker: clock 5 minutes behind",
	"worker: all replaced, twice",
	"task: poison among good ones",
	"task: garbage among good ones",
	"Redis: frozen 3 s",
	"Redis: frozen 20 s",
	"Redis: restarted",
	"Redis: kill -9, appendfsync everysec",
	"Redis: kill -9, appendfsync always",
	"Redis: disk full under its file",
	"Redis: frozen 3 s when calls are answered",
	"worker, producer to Redis: cut at random",
	"worker, producer to Redis: replies lost",
	"worker, producer to Redis: 200 ms",
	"worker, producer to Redis: slow close",
	"worker to Layer: cut, answers lost",
	"Layer: 30 % of its answers wrong",
	"Layer: 503 after the work, 30 %",
	"archive: more than 10,000",
	"archive: replayed",
	"producers: two with the same keys",
	"bulk: interrupted and run again ten times",
	"all at once: 5,000 messages, three workers",
}

// put notes the books of a row.
func (t *table) put(row string, e engine, b *books) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows[row] == nil {
		t.rows[row] = make(map[engine]*books)
	}
	t.rows[row][e] = b
}

func (s *site) record(row string, b *books) {
	s.t.Helper()
	if !slices.Contains(rowNames, row) {
		s.t.Errorf("row %q has no place in the table", row)
	}
	s.t.Logf("%s, %s: %+v", row, s.engine, *b)
	results.put(row, s.engine, b)
	s.t.Cleanup(func() {
		if s.t.Failed() { // what is wrong is not for the table
			results.put(row, s.engine, nil)
		}
	})
}

func (t *table) print(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range rowNames {
		for e, b := range t.rows[name] {
			if b == nil {
				continue
			}
			fmt.Fprintf(w, "%-62s %-10s %6d tasks %6d effects %4d twice %4d lost %4d archived %4d turned %4d repeated %6.1f s\n",
				name, e, b.Tasks, b.Effects, b.Twice, b.Lost, b.Archived, b.Turned, b.Repeated, b.Recovery.Seconds())
		}
	}
}

const (
	tableBegin = "<!-- faults: begin -->\n"
	tableEnd   = "<!-- faults: end -->"
	tableHead  = "| fault | tasks | effects | twice | lost | archived | all done after | bare asynq: effects | twice | lost | all done after |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|\n"
)

// write puts the rows that ran into the document, and leaves the others as they are.
func (t *table) write(path string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(page, []byte(tableBegin))
	old, after, ok2 := bytes.Cut(rest, []byte(tableEnd))
	if !ok || !ok2 {
		return errors.New(path + " has no place for the table")
	}
	lines := make(map[string]string)
	for line := range strings.Lines(string(old)) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |"); ok {
			lines[name] = line
		}
	}
	var out bytes.Buffer
	out.Write(before)
	out.WriteString(tableBegin + tableHead)
	for _, name := range rowNames {
		if t.rows[name][layerq] != nil {
			lines[name] = line(name, t.rows[name][layerq], t.rows[name][bare])
		}
		out.WriteString(lines[name])
	}
	out.WriteString(tableEnd)
	out.Write(after)
	return os.WriteFile(path, out.Bytes(), 0o600)
}

func line(name string, ours, bare *books) string {
	text := fmt.Sprintf("| %s | %s | %s | %d | %d | %d | %s |", name,
		thousands(ours.Tasks), thousands(ours.Effects), ours.Twice, ours.Lost, ours.Archived, seconds(ours.Recovery))
	if bare == nil {
		return text + " | | | |\n"
	}
	return text + fmt.Sprintf(" %s | %d | %d | %s |\n", thousands(bare.Effects), bare.Twice, bare.Lost, seconds(bare.Recovery))
}

func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
