// Package docs_test holds the documents to the code: links lead somewhere,
// tables are what the code says, examples are ones that run.
package docs_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository, seen from this package.
const root = "../.."

// documents returns every Markdown file of the repository, from root.
func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".git")):
			return fs.SkipDir
		case filepath.Ext(path) == ".md":
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// slug is the fragment under which a page's heading is found.
func slug(heading string) string {
	return strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// A link within the repository leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, document := range documents(t) {
		text := fenced.ReplaceAllString(read(t, document), "")
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, err := url.Parse(match[1])
			if err != nil {
				t.Errorf("%s: %v", document, err)
				continue
			}
			// Other sites are not asked; the template's names are made up.
			if target.Scheme != "" || strings.Contains(target.Path, "NNNN") {
				continue
			}
			page := document
			if target.Path != "" {
				page = filepath.Join(filepath.Dir(document), target.Path)
			}
			info, err := os.Stat(filepath.Join(root, page))
			if err != nil {
				t.Errorf("%s: link to %s: %v", document, match[1], err)
				continue
			}
			if target.Fragment != "" && !info.IsDir() && !hasHeading(read(t, page), target.Fragment) {
				t.Errorf("%s: link to %s: %s has no such heading", document, match[1], page)
			}
		}
	}
}

func hasHeading(text, fragment string) bool {
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		if slug(match[1]) == fragment {
			return true
		}
	}
	return false
}

// Each decision is listed in the index, under its own title.
func TestDecisionsAreListed(t *testing.T) {
	t.Parallel()
	index := read(t, "docs/adr/README.md")
	pages, err := filepath.Glob(filepath.Join(root, "docs/adr/[0-9]*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		name := filepath.Base(page)
		first, _, _ := strings.Cut(read(t, "docs/adr/"+name), "\n")
		title := strings.TrimLeft(first, "# 0123456789.")
		if want := "[" + title + "](" + name + ")"; !strings.Contains(index, want) {
			t.Errorf("docs/adr/README.md does not list %s", want)
		}
	}
}
