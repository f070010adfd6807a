package docs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// client is package layer by the names of its methods.
type client struct {
	methods map[string]function
	callers map[string][]string // of the methods that are not exported
	order   []string
}

const (
	service   = "Service" // client.Conversations is a ConversationsService
	directive = "//layer:operation "
)

func readClient(t *testing.T) client {
	t.Helper()
	c := client{methods: map[string]function{}, callers: map[string][]string{}}
	for _, f := range functions(t, "layer") {
		if strings.HasSuffix(f.receiver, service) {
			c.methods[f.name()] = f
			c.order = append(c.order, f.name())
		}
	}
	for _, name := range c.order {
		for _, called := range c.calls(name) {
			if !c.methods[called].Name.IsExported() {
				c.callers[called] = append(c.callers[called], name)
			}
		}
	}
	return c
}

// calls are the client's methods that one of them calls.
func (c client) calls(name string) []string {
	var found []string
	for _, used := range c.methods[name].uses() {
		called := used.owner + service + "." + used.name
		if used.self {
			called = c.methods[name].receiver + "." + used.name
		}
		if _, ok := c.methods[called]; ok {
			found = append(found, called)
		}
	}
	return found
}

// operations are the endpoints that a method asks: those of its directives or,
// without one, those of the methods that it calls. A helper is of the endpoints
// of its callers too.
func (c client) operations(name string) []string {
	found := map[string]bool{}
	seen := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		f, ok := c.methods[name]
		if !ok || seen[name] {
			return
		}
		seen[name] = true
		if own := f.documented(directive); own != nil {
			for _, operation := range own {
				found[operation] = true
			}
			return
		}
		for _, caller := range c.callers[name] {
			for _, operation := range c.methods[caller].documented(directive) {
				found[operation] = true
			}
		}
		for _, called := range c.calls(name) {
			add(called)
		}
	}
	add(name)
	return slices.Sorted(maps.Keys(found))
}

// add tells of each endpoint which exported methods ask it: first those with the
// directive, then those that make it handier. What writes is not among the
// methods of a read, though it may look first.
func (c client) add(all inventory) {
	for _, handy := range []bool{false, true} {
		for _, name := range c.order {
			f := c.methods[name]
			if (f.documented(directive) == nil) != handy || !f.Name.IsExported() {
				continue
			}
			operations := c.operations(name)
			for _, operation := range operations {
				if isRead(operation) && slices.ContainsFunc(operations, isWrite) {
					continue
				}
				of := all.at(operation)
				of.methods = append(of.methods, place{strings.Replace(name, service+".", ".", 1), f.file})
				for _, section := range f.documented("// Layer docs: ") {
					of.cite(citation(section))
				}
			}
		}
	}
}

// citation turns "Platform API, users, badges." into "Platform API: Users,
// badges".
func citation(line string) string {
	of, chapter, _ := strings.Cut(strings.TrimSuffix(line, "."), ", ")
	if chapter == "" {
		return of
	}
	return of + ": " + strings.ToUpper(chapter[:1]) + chapter[1:]
}

func isRead(operation string) bool  { return strings.HasPrefix(operation, "GET ") }
func isWrite(operation string) bool { return !isRead(operation) }
