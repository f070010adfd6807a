package docs_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/config"
	_ "github.com/layerq/layerq/internal/golden" // its flag -update writes the blocks anew
	"github.com/layerq/layerq/internal/sandbox"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// Blocks of the README that are made from the code. Each stands between
// <!-- generated: NAME --> and <!-- end of NAME -->.
var generated = []struct {
	name     string
	generate func(t *testing.T) string
	// growing may lack lines until make golden is run, which the check of a
	// commit does: a new task type needs no other change than its own. It
	// may not say anything that is not so.
	growing bool
}{
	{"sandbox", sandboxWelcome, false},
	{"enqueue", goExample, false},
	{"settings", func(*testing.T) string { return config.Markdown() }, false},
	{"task types", taskTypes, true},
}

// sandboxWelcome is what the worker prints with nothing configured.
func sandboxWelcome(t *testing.T) string {
	t.Helper()
	app, err := layer.ParseAppID(config.SandboxAppID)
	if err != nil {
		t.Fatal(err)
	}
	conversation, err := layer.ParseConversationID(sandboxConversation)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("```text\n")
	err = sandbox.Welcome{
		RedisURL: config.SandboxRedisURL, BaseURL: config.SandboxBaseURL, AdminURL: "http://127.0.0.1:8080",
		App: app, Token: config.SandboxToken, Conversation: conversation,
	}.Write(&b)
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString("```\n")
	return b.String()
}

func taskTypes(*testing.T) string {
	var b strings.Builder
	b.WriteString("| type | what it does |\n|---|---|\n")
	for _, info := range tasks.Types() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", info.Type, info.Doc)
	}
	return b.String()
}

// goExample is what the example of package tasks does, which its test runs.
func goExample(t *testing.T) string {
	t.Helper()
	const begin, end = "\t// README: begin\n", "\t// README: end\n"
	_, body, _ := strings.Cut(read(t, "tasks/example_enqueue_test.go"), begin)
	body, _, found := strings.Cut(body, end)
	if !found {
		t.Fatal("tasks/example_enqueue_test.go does not mark what the README shows")
	}
	var b strings.Builder
	b.WriteString("```go\n")
	for line := range strings.Lines(body) {
		b.WriteString(strings.TrimPrefix(line, "\t"))
	}
	b.WriteString("```\n")
	return b.String()
}

func TestReadmeSaysWhatTheCodeSays(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	for _, block := range generated {
		head, got, tail, ok := cutBlock(readme, block.name)
		if !ok {
			t.Errorf("README.md has no block %q", block.name)
			continue
		}
		want := block.generate(t)
		readme = head + want + tail
		if updating() || block.growing && linesIn(got, want) {
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("README.md, block %q: run make golden (-want +got):\n%s", block.name, diff)
		}
	}
	if updating() && readme != read(t, "README.md") {
		if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(readme), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// cutBlock returns what stands in a block of a document, and what stands before
// and behind it, with the block's marks.
func cutBlock(document, name string) (head, block, tail string, ok bool) {
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end of "+name+" -->\n"
	head, rest, opened := strings.Cut(document, begin)
	block, tail, closed := strings.Cut(rest, end)
	return head + begin, block, end + tail, opened && closed
}

// linesIn reports whether every line of part is one of whole.
func linesIn(part, whole string) bool {
	for line := range strings.Lines(part) {
		if !strings.Contains(whole, line) {
			return false
		}
	}
	return true
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }
