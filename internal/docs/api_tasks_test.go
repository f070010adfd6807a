package docs_test

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/layerq/layerq/tasks"
)

// performers is package tasks: who calls what, and what the types are called.
type performers struct {
	byName    map[string]function
	byMethod  map[string][]string // names of the methods of any receiver
	constants map[string]string
}

func readTasks(t *testing.T) performers {
	t.Helper()
	p := performers{map[string]function{}, map[string][]string{}, map[string]string{}}
	for _, f := range functions(t, "tasks") {
		p.byName[f.name()] = f
		if f.receiver != "" {
			p.byMethod[f.Name.Name] = append(p.byMethod[f.Name.Name], f.name())
		}
	}
	for _, file := range sources(t, "tasks") {
		ast.Inspect(file.tree, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok {
				p.constant(spec)
			}
			return true
		})
	}
	return p
}

func (p performers) constant(spec *ast.ValueSpec) {
	for i, value := range spec.Values {
		literal, ok := value.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			continue
		}
		if text, err := strconv.Unquote(literal.Value); err == nil {
			p.constants[spec.Names[i].Name] = text
		}
	}
}

// add tells of each write which types make it, in the order of the register.
func (p performers) add(all inventory, c client) {
	calls := map[string][]string{}
	for name, f := range p.byName {
		if f.Name.Name == "perform" {
			calls[p.typeOf(f.receiver)] = p.reached(name, c)
		}
	}
	for _, info := range tasks.Types() {
		for _, operation := range calls[info.Type] {
			if isWrite(operation) {
				of := all.at(operation)
				of.tasks = append(of.tasks, info.Type)
			}
		}
	}
}

// typeOf returns what the method Type of a task returns.
func (p performers) typeOf(task string) string {
	f, ok := p.byName[task+".Type"]
	if !ok {
		return ""
	}
	var name string
	ast.Inspect(f.Body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.Ident:
			name = p.constants[node.Name]
		case *ast.BasicLit:
			name, _ = strconv.Unquote(node.Value)
		}
		return true
	})
	return name
}

// reached are the endpoints that a function asks, by itself and by those of the
// package that it calls.
func (p performers) reached(name string, c client) []string {
	found := map[string]bool{}
	seen := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		f, ok := p.byName[name]
		if !ok || seen[name] {
			return
		}
		seen[name] = true
		for _, used := range f.uses() {
			for _, operation := range c.operations(used.owner + service + "." + used.name) {
				found[operation] = true
			}
			for _, called := range p.called(f, used) {
				add(called)
			}
		}
	}
	add(name)
	return slices.Sorted(maps.Keys(found))
}

// called are the functions of the package that a name may stand for. The types
// of variables are not known: any method of the name is meant.
func (p performers) called(f function, used use) []string {
	switch {
	case used.plain:
		return []string{"." + used.name}
	case used.self:
		return []string{f.receiver + "." + used.name}
	case ast.IsExported(used.name):
		return nil // of another package, most likely
	default:
		return p.byMethod[used.name]
	}
}
