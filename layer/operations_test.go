package layer_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// operations are all endpoints of the Platform API at versions 1.0 and 1.1, with
// the parts of the Client API that it documents as user perspective.
var operations = []string{
	// Conversations.
	"POST /apps/:app/conversations",
	"GET /apps/:app/conversations/:conversation",
	"GET /apps/:app/users/:user/conversations/:conversation",
	"GET /apps/:app/users/:user/conversations",
	"PATCH /apps/:app/conversations/:conversation",
	"DELETE /apps/:app/conversations/:conversation",
	"DELETE /apps/:app/users/:user/conversations/:conversation",
	// Messages.
	"POST /apps/:app/conversations/:conversation/messages",
	"GET /apps/:app/conversations/:conversation/messages",
	"GET /apps/:app/conversations/:conversation/messages/:message",
	"GET /apps/:app/users/:user/conversations/:conversation/messages",
	"GET /apps/:app/users/:user/messages/:message",
	"DELETE /apps/:app/conversations/:conversation/messages/:message",
	"DELETE /apps/:app/users/:user/messages/:message",
	"POST /apps/:app/users/:user/messages/:message/receipts",
	// Rich content.
	"POST /apps/:app/conversations/:conversation/content",
	"GET /apps/:app/conversations/:conversation/content/:content",
	// Announcements.
	"POST /apps/:app/announcements",
	"GET /apps/:app/users/:user/announcements",
	"GET /apps/:app/users/:user/announcements/:announcement",
	"POST /apps/:app/users/:user/announcements/:announcement/receipts",
	"DELETE /apps/:app/users/:user/announcements/:announcement",
	// Notifications.
	"POST /apps/:app/notifications",
	// Block lists.
	"GET /apps/:app/users/:user/blocks",
	"POST /apps/:app/users/:user/blocks",
	"DELETE /apps/:app/users/:user/blocks/:blocked",
	// Users; the PATCH is for block lists too.
	"PATCH /apps/:app/users/:user",
	"GET /apps/:app/users/:user",
	"POST /apps/:app/users/:user/identity",
	"GET /apps/:app/users/:user/identity",
	"PATCH /apps/:app/users/:user/identity",
	"PUT /apps/:app/users/:user/identity",
	"DELETE /apps/:app/users/:user/identity",
	"PUT /apps/:app/users/:user/badge",
	"GET /apps/:app/users/:user/badge",
	"DELETE /apps/:app/users/:user/sessions",
	"PATCH /apps/:app",
	// Webhooks.
	"POST /apps/:app/webhooks",
	"GET /apps/:app/webhooks",
	"GET /apps/:app/webhooks/:webhook",
	"POST /apps/:app/webhooks/:webhook/activate",
	"POST /apps/:app/webhooks/:webhook/deactivate",
	"DELETE /apps/:app/webhooks/:webhook",
	// Data export.
	"PUT /apps/:app/export_security",
	"GET /apps/:app/export_security",
	"POST /apps/:app/exports",
	"GET /apps/:app/exports",
	"GET /apps/:app/exports/:export/status",
	"DELETE /apps/:app/exports/:export",
	"PUT /apps/:app/export_schedule",
	"GET /apps/:app/export_schedule",
}

// TestOperations holds the methods' directives to the list: nothing is missing,
// nothing is invented, and each is documented with its source.
func TestOperations(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, function := range exportedFunctions(t) {
		documented := false
		for _, comment := range function.Doc.List {
			documented = documented || strings.HasPrefix(comment.Text, "// Layer docs: ")
			if operation, ok := strings.CutPrefix(comment.Text, "//layer:operation "); ok {
				found[operation] = true
				if !documented {
					t.Errorf("%s has an operation without its source", function.Name)
				}
			}
		}
	}
	want := slices.Sorted(slices.Values(operations))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// exportedFunctions gives the package's exported functions and methods that have a
// doc comment.
func exportedFunctions(t *testing.T) []*ast.FuncDecl {
	t.Helper()
	noTests := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), ".", noTests, parser.ParseComments) //nolint:staticcheck // one directory without build tags
	if err != nil {
		t.Fatal(err)
	}
	var functions []*ast.FuncDecl
	for _, file := range packages["layer"].Files {
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Doc != nil && f.Name.IsExported() {
				functions = append(functions, f)
			}
		}
	}
	return functions
}
