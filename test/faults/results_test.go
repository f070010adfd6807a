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
	mu sync.Mutex
	// rows has the books by seed: nil while a row runs, and for one that failed.
	rows map[string]map[engine]map[uint64]*books
	// needed is what the rows without a mechanism failed with.
	needed map[string]string
}

var results = &table{rows: make(map[string]map[engine]map[uint64]*books), needed: make(map[string]string)}

// begin opens a row: unless its books are recorded and the test passes, it has failed.
func (s *site) begin(row string) {
	s.t.Helper()
	if !slices.Contains(Rows, row) {
		s.t.Errorf("row %q has no place in the table", row)
	}
	s.row = row
	results.put(row, s.engine, s.seed, nil)
	s.t.Cleanup(func() {
		switch {
		case s.t.Failed(): // what is wrong is not for the table
			results.put(row, s.engine, s.seed, nil)
		case s.t.Skipped():
			results.drop(row, s.engine, s.seed)
		}
		if err := results.update(); err != nil {
			s.t.Error(err)
		}
	})
}

// record enters the books of the row that was begun last.
func (s *site) record(b *books) {
	s.t.Helper()
	s.t.Logf("%s, %s: %+v", s.row, s.engine, *b)
	results.put(s.row, s.engine, s.seed, b)
}

// put notes the books of a row.
func (t *table) put(row string, e engine, seed uint64, b *books) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows[row] == nil {
		t.rows[row] = make(map[engine]map[uint64]*books)
	}
	if t.rows[row][e] == nil {
		t.rows[row][e] = make(map[uint64]*books)
	}
	t.rows[row][e][seed] = b
}

// drop forgets a row that cannot be run on this machine.
func (t *table) drop(row string, e engine, seed uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rows[row][e], seed)
}

// lacks notes how a row failed without a mechanism.
func (t *table) lacks(mechanism, failure string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.needed[mechanism] = failure
}

func (t *table) print(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range Rows {
		for e, bySeed := range t.rows[name] {
			for seed, b := range bySeed {
				if b == nil {
					fmt.Fprintf(w, "%-62s %-10s FAILED with seed %d\n", name, e, seed)
					continue
				}
				fmt.Fprintf(w, "%-62s %-10s %6d tasks %6d effects %4d twice %4d lost %4d archived %4d turned %4d repeated %6.1f s\n",
					name, e, b.Tasks, b.Effects, b.Twice, b.Lost, b.Archived, b.Turned, b.Repeated, b.Recovery.Seconds())
			}
		}
	}
}

const page = "../../docs/reliability.md"

// update writes both tables into the document, if this run is to: after each row, so that a run that is ended
// leaves what it knows. What this run has not tried, or not finished, is not there as if it had been.
func (t *table) update() error {
	if !*update {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	if text, err = within(text, "faults", t.rowLines()); err != nil {
		return err
	}
	if text, err = within(text, "without", t.neededLines()); err != nil {
		return err
	}
	return os.WriteFile(page, text, 0o600)
}

// within puts something in the place of what is between two marks.
func within(text []byte, mark, lines string) ([]byte, error) {
	begin, end := "<!-- "+mark+": begin -->\n", "<!-- "+mark+": end -->"
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return nil, errors.New(page + " has no place for " + mark)
	}
	return slices.Concat(before, []byte(begin+lines+end), after), nil
}

func (t *table) rowLines() string {
	var out strings.Builder
	form := "short"
	if *long {
		form = "long"
	}
	fmt.Fprintf(&out, "The %s form, with seed %s; bare asynq with seed %d alone:\n\n%s", form, formatSeeds(", "), seeds[0], RowsHead)
	for _, name := range Rows {
		ours := t.sum(name, layerq, seeds)
		fmt.Fprintf(&out, "| %s |%s", name, ours.cells(true))
		if theirs := t.sum(name, bare, seeds[:1]); theirs.tried > 0 {
			out.WriteString(theirs.cells(false) + "\n")
			continue
		}
		out.WriteString(" | | | | |\n")
	}
	return out.String()
}

func (t *table) neededLines() string {
	var out strings.Builder
	out.WriteString(NeededHead)
	for _, m := range Mechanisms {
		failure := t.needed[m.Name]
		if failure == "" {
			failure = "**not shown**"
		}
		fmt.Fprintf(&out, "| %s | %s | %s |\n", m.What, m.Row, failure)
	}
	return out.String()
}

// sum is what a row came to with all seeds: the longest time, and all else together.
type sum struct {
	books
	wanted int // with how many seeds
	tried  int
	failed []string // the seeds
}

func (t *table) sum(row string, e engine, seeds []uint64) sum {
	all := sum{wanted: len(seeds)}
	for _, seed := range seeds {
		b, tried := t.rows[row][e][seed]
		if !tried {
			continue
		}
		all.tried++
		if b == nil {
			all.failed = append(all.failed, strconv.FormatUint(seed, 10))
			continue
		}
		all.Tasks += b.Tasks
		all.Effects += b.Effects
		all.Twice += b.Twice
		all.Lost += b.Lost
		all.Archived += b.Archived
		all.Recovery = max(all.Recovery, b.Recovery)
		all.Open = all.Open || b.Open
	}
	return all
}

func (s sum) cells(ours bool) string {
	const empty5, empty6 = " | | | | |", " | | | | | |"
	empty := empty5
	if ours {
		empty = empty6
	}
	switch {
	case s.tried == 0:
		return " **not run**" + empty
	case len(s.failed) > 0:
		return " **failed** with seed " + strings.Join(s.failed, ", ") + empty
	case s.tried < s.wanted:
		return fmt.Sprintf(" **run with %d of %d seeds**", s.tried, s.wanted) + empty
	case ours:
		return fmt.Sprintf(" %s | %s | %d | %d | %s | %s |", thousands(s.Tasks), thousands(s.Effects), s.Twice, s.Lost, thousands(s.Archived), seconds(s.Recovery))
	}
	after := seconds(s.Recovery)
	if s.Open {
		after = "not in " + after
	}
	return fmt.Sprintf(" %s | %s | %s | %s | %s |", thousands(s.Effects), thousands(s.Twice), thousands(s.Lost), thousands(s.Archived), after)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
