package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/layer"
)

func usage(problem string) error { return console.Usage(errors.New(problem)) }

// problems collects all that is wrong with a command line, so that it takes one
// try and not five to get it right. The zero value is ready for use.
type problems struct {
	lines []string
	flags map[string]bool // those that something was said about
}

// add says what is wrong with a flag, such as "--key".
func (p *problems) add(flag, format string, args ...any) {
	p.mark(flag)
	p.lines = append(p.lines, flag+": "+fmt.Sprintf(format, args...))
}

// mark keeps what else could be said about flags from being said: it has the
// same reason.
func (p *problems) mark(flags ...string) {
	if p.flags == nil {
		p.flags = map[string]bool{}
	}
	for _, flag := range flags {
		p.flags[flag] = true
	}
}

// empty finds flags that were given, but nothing in them: a script's variable
// that is not set must not become a default.
func (p *problems) empty(flags *pflag.FlagSet) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.String() == "" {
			p.add("--"+f.Name, "is empty")
		}
	})
}

// exclude finds two flags of which only one may be given.
func (p *problems) exclude(flags *pflag.FlagSet, one, other string) {
	if flags.Changed(one) && flags.Changed(other) {
		p.lines = append(p.lines, fmt.Sprintf("--%s and --%s exclude each other", one, other))
		p.mark("--"+one, "--"+other)
	}
}

// fields adds the field errors in err under the names of the flags. A flag that
// something was said about is wrong in the task for the same reason.
func (p *problems) fields(err error, names flagNames) {
	for _, field := range layer.FieldErrors(err) {
		flag, rest := names.of(field.Field)
		if !p.flags[flag] {
			// Not through add: a list may be wrong in several places.
			p.lines = append(p.lines, flag+rest+": "+field.Problem)
		}
	}
}

func (p *problems) err() error {
	if len(p.lines) == 0 {
		return nil
	}
	return usage(strings.Join(p.lines, "\n"))
}

// flagNames maps the path of a field in a task's JSON to the flag that fills it.
type flagNames map[string]string

// of returns the flag for a field, and what of the path is below the flag's.
func (n flagNames) of(field string) (flag, rest string) {
	for path := field; path != ""; path = parent(path) {
		if flag, ok := n[path]; ok {
			rest := field[len(path):]
			if below, found := strings.CutPrefix(rest, "."); found {
				rest = ", " + below
			}
			return flag, rest
		}
	}
	return optionFlag(field), ""
}

// parent cuts the last step off a path: an index or a name.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// optionFlag names a field that no task has: an option is called as its flag,
// and of what "enqueue task" reads only the path is known.
func optionFlag(field string) string {
	switch field {
	case "key", "id", "queue", "in", "at", "expires", "retention", "lane":
		return "--" + field
	case "lane_stop_on_failure":
		return "--lane-stop-on-failure"
	}
	return field
}
