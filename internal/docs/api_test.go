package docs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer/layertest"
)

// place is a function and the file that it stands in.
type place struct{ name, file string }

// facts are what the code has of one endpoint.
type facts struct {
	methods  []place // of package layer
	tasks    []string
	handler  place // of the emulator
	sections []string
}

func (f *facts) cite(section string) {
	if !slices.Contains(f.sections, section) {
		f.sections = append(f.sections, section)
	}
}

// inventory is what the code has, by operation.
type inventory map[string]*facts

func (all inventory) at(operation string) *facts {
	if all[operation] == nil {
		all[operation] = &facts{}
	}
	return all[operation]
}

func takeInventory(t *testing.T) inventory {
	t.Helper()
	all := inventory{}
	c := readClient(t)
	c.add(all)
	readTasks(t).add(all, c)
	files := map[string]string{}
	for _, f := range functions(t, "layer/layertest") {
		files["(*"+f.receiver+")."+f.Name.Name] = f.file
	}
	for _, route := range layertest.Routes() {
		name := route.Handler[strings.LastIndex(route.Handler, ".")+1:]
		all.at(route.Method + " " + route.Path).handler = place{name, files[route.Handler]}
	}
	return all
}

// wanting says what the code lacks of an endpoint.
func wanting(chapter string, e endpoint, f *facts) []string {
	var lacks []string
	if len(f.methods) == 0 {
		lacks = append(lacks, "package layer has no method with the directive")
	}
	if f.handler.file == "" {
		lacks = append(lacks, "the emulator has no handler")
	}
	if len(f.sections) == 0 {
		lacks = append(lacks, "no method says where Layer documented it")
	}
	for _, section := range f.sections {
		if of, in, _ := strings.Cut(section, ": "); of != chapter && !strings.HasPrefix(in, chapter) {
			lacks = append(lacks, fmt.Sprintf("%q is not in the chapter %q", section, chapter))
		}
	}
	for _, task := range e.tasks {
		if !slices.Contains(f.tasks, task) {
			lacks = append(lacks, "the task type "+task+" does not call it")
		}
	}
	if isWrite(e.operation) && len(e.tasks) == 0 && e.noTask == "" {
		lacks = append(lacks, "neither a task type is asked for, nor is said why not")
	}
	return lacks
}

// Each endpoint has its method, its handler, its section and its task types, and
// nothing is there that Layer did not have.
func TestEveryEndpointIsThere(t *testing.T) {
	t.Parallel()
	all := takeInventory(t)
	unknown := maps.Clone(all)
	for _, chapter := range reference {
		for _, e := range chapter.endpoints {
			delete(unknown, e.operation)
			for _, lack := range wanting(chapter.name, e, all.at(e.operation)) {
				t.Errorf("%s: %s", e.operation, lack)
			}
		}
	}
	for _, operation := range slices.Sorted(maps.Keys(unknown)) {
		t.Errorf("%s is in the code, and not in the list of Layer's endpoints", operation)
	}
}

func TestWhatAnEndpointLacksIsSeen(t *testing.T) {
	t.Parallel()
	write := endpoint{operation: "PUT /apps/:app/users/:user/badge", tasks: []string{"badge:set"}}
	cases := map[string]struct {
		spoil func(e *endpoint, f *facts)
		want  []string
	}{
		"nothing": {func(*endpoint, *facts) {}, nil},
		"its method": {
			func(_ *endpoint, f *facts) { f.methods = nil },
			[]string{"package layer has no method with the directive"},
		},
		"its handler": {func(_ *endpoint, f *facts) { f.handler = place{} }, []string{"the emulator has no handler"}},
		"its section": {
			func(_ *endpoint, f *facts) { f.sections = nil },
			[]string{"no method says where Layer documented it"},
		},
		"the right section": {
			func(_ *endpoint, f *facts) { f.cite("Platform API: Errors") },
			[]string{`"Platform API: Errors" is not in the chapter "Users"`},
		},
		"its task type": {
			func(_ *endpoint, f *facts) { f.tasks = []string{"badge:clear"} },
			[]string{"the task type badge:set does not call it"},
		},
		"a word about tasks": {
			func(e *endpoint, _ *facts) { e.tasks = nil },
			[]string{"neither a task type is asked for, nor is said why not"},
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := write
			f := &facts{
				methods: []place{{"Badges.Set", "badges.go"}}, tasks: []string{"badge:set"},
				handler: place{"putBadge", "badges.go"}, sections: []string{"Platform API: Users, badges"},
			}
			test.spoil(&e, f)
			if diff := cmp.Diff(test.want, wanting("Users", e, f)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

const apiPage = "docs/api.md"

func TestAPIPageSaysWhatTheCodeSays(t *testing.T) {
	t.Parallel()
	before := read(t, apiPage)
	after := before
	for _, block := range []struct {
		name     string
		generate func(got string) string
	}{
		{"endpoints", func(got string) string {
			all := takeInventory(t)
			if !updating() {
				all.forget(got)
			}
			return all.markdown()
		}},
		{"switches", func(string) string { return switchTable() }},
	} {
		head, got, tail, ok := cutBlock(after, block.name)
		if !ok {
			t.Fatalf("%s has no block %q", apiPage, block.name)
		}
		want := block.generate(got)
		if want != got && !updating() {
			t.Errorf("%s: run make golden (-want +got):\n%s", apiPage, cmp.Diff(want, got))
		}
		after = head + want + tail
	}
	if updating() && after != before {
		if err := os.WriteFile(filepath.Join(root, apiPage), []byte(after), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// switchTable lists the emulator's switches.
func switchTable() string {
	var b strings.Builder
	b.WriteString("| switch | what turning it on does |\n|---|---|\n")
	var switches layertest.Switches
	for _, sw := range switches.List() {
		fmt.Fprintf(&b, "| `--%s` | %s |\n", sw.Name, sw.Usage)
	}
	return b.String()
}

// forget drops the task types that the page does not know at all: a new one
// needs no other change than its own, until make golden is run.
func (all inventory) forget(page string) {
	for _, f := range all {
		f.tasks = slices.DeleteFunc(f.tasks, func(task string) bool { return !strings.Contains(page, "`"+task+"`") })
	}
}
