package docs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/test/faults"
)

// The fault suite writes its tables into docs/reliability.md itself, when it is asked to. A page that an older suite has
// written says what a suite has shown that is no more.
func TestReliabilityIsWhatThisFaultSuiteShows(t *testing.T) {
	t.Parallel()
	var mechanisms []string
	for _, m := range faults.Mechanisms {
		mechanisms = append(mechanisms, m.What+" | "+m.Row)
	}
	for _, table := range []struct {
		mark, head string
		cells      int // of a row that are names
		want       []string
	}{
		{"faults", faults.RowsHead, 1, faults.Rows},
		{"without", faults.NeededHead, 2, mechanisms},
	} {
		_, block, _ := strings.Cut(read(t, "docs/reliability.md"), "<!-- "+table.mark+": begin -->\n")
		block, _, _ = strings.Cut(block, "<!-- "+table.mark+": end -->")
		_, lines, found := strings.Cut(block, table.head)
		if !found {
			t.Errorf("docs/reliability.md has no table with the columns that the fault suite has: make faults-table writes it anew\n%s", table.head)
			continue
		}
		var got []string
		for line := range strings.Lines(lines) {
			cells := strings.SplitN(strings.TrimPrefix(line, "| "), " | ", table.cells+1)
			got = append(got, strings.Join(cells[:min(table.cells, len(cells))], " | "))
		}
		if diff := cmp.Diff(table.want, got); diff != "" {
			t.Errorf("docs/reliability.md, table %q: make faults-table writes it anew (-suite +page):\n%s", table.mark, diff)
		}
	}
}
