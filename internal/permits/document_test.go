package permits

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	_ "github.com/layerq/layerq/internal/golden" // its flag -update writes the table anew
)

const document = "../../docs/limits.md"

// The table of docs/limits.md is what the simulation gives.
func TestDocumentShowsWhatTheSimulationGives(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Log("the table takes too long under the race detector; nothing here runs at once")
		return
	}
	const begin, end = "<!-- simulation: begin -->\n", "<!-- simulation: end -->\n"
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	got, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s does not mark its table", document)
	}
	want := "\n" + comparison() + "\n"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(document, []byte(head+begin+want+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: run make golden (-want +got):\n%s", document, diff)
	}
}
