package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// function is a function or method of a package, as it is written.
type function struct {
	*ast.FuncDecl

	file     string
	receiver string // its type, "" for a function
}

// functions reads the package in a directory of the repository, without its
// tests. They are in the order of the files.
func functions(t *testing.T, directory string) []function {
	t.Helper()
	var found []function
	for _, file := range sources(t, directory) {
		for _, declaration := range file.tree.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok {
				found = append(found, function{f, file.name, receiver(f)})
			}
		}
	}
	return found
}

type source struct {
	name string
	tree *ast.File
}

func sources(t *testing.T, directory string) []source {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var found []source
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, source{filepath.Base(path), tree})
	}
	return found
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name
	}
	return "" // a generic type: none that matters here
}

// name is how calls find the function: ConversationsService.Create.
func (f function) name() string { return f.receiver + "." + f.Name.Name }

// use is a name in the body of a function that may be a call: NAME,
// self.NAME, x.OWNER.NAME or x.NAME.
type use struct {
	owner string // "" for NAME, and for x.NAME
	self  bool
	plain bool
	name  string
}

func (f function) uses() []use {
	var found []use
	self := ""
	if f.Recv != nil && len(f.Recv.List[0].Names) > 0 {
		self = f.Recv.List[0].Names[0].Name
	}
	ast.Inspect(f.Body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CallExpr:
			if called, ok := node.Fun.(*ast.Ident); ok {
				found = append(found, use{plain: true, name: called.Name})
			}
		case *ast.SelectorExpr:
			switch of := node.X.(type) {
			case *ast.SelectorExpr:
				found = append(found, use{owner: of.Sel.Name, name: node.Sel.Name})
			case *ast.Ident:
				found = append(found, use{self: self != "" && of.Name == self, name: node.Sel.Name})
			}
		}
		return true
	})
	return found
}

// documented returns what follows the prefix on a line of the function's
// comment.
func (f function) documented(prefix string) []string {
	if f.Doc == nil {
		return nil
	}
	var found []string
	for _, line := range f.Doc.List {
		if rest, ok := strings.CutPrefix(line.Text, prefix); ok {
			found = append(found, rest)
		}
	}
	return found
}
