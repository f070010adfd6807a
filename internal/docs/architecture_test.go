package docs_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// Whoever looks for a package finds it in the map, and the map names nothing
// that is not there.
func TestPackagesAreInTheMap(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(read(t, "docs/architecture.md"), "\n## The packages\n")
	section, _, found := strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("docs/architecture.md has no section on the packages")
	}
	packages := goPackages(t)
	for name := range packages {
		if !strings.Contains(section, "`"+name+"`") {
			t.Errorf("docs/architecture.md does not say what %s is", name)
		}
	}
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for name := range strings.SplitSeq(cell, ", ") {
			if name = strings.Trim(name, "`"); !packages[name] {
				t.Errorf("docs/architecture.md has a package %s, the repository has none", name)
			}
		}
	}
}

// goPackages returns the directories with Go files, without those of test/.
func goPackages(t *testing.T) map[string]bool {
	t.Helper()
	packages := make(map[string]bool)
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || name == "test" || strings.HasPrefix(entry.Name(), ".git")):
			return fs.SkipDir
		case path.Ext(name) == ".go":
			packages[path.Dir(name)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}
