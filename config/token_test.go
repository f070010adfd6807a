package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that is replaced by renaming, or by turning a symbolic link, as editors and Kubernetes do.
func TestReadToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, content string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		must(os.WriteFile(name, []byte(content), 0o600))
		return name
	}
	for _, step := range []struct {
		name  string
		do    func()
		want  string
		wrong string
	}{
		{"not there", func() {}, "", "there is no such file"},
		{"written", func() { write("token", "one\n") }, "one", ""},
		{"renamed over", func() { must(os.Rename(write("new", "two"), path)) }, "two", ""},
		{"a link", func() { must(os.Remove(path)); must(os.Symlink(write("..1", "three"), path)) }, "three", ""},
		{"another link", func() {
			must(os.Symlink(write("..2", "four\r\n"), filepath.Join(dir, "link")))
			must(os.Rename(filepath.Join(dir, "link"), path))
		}, "four", ""},
		{"empty", func() { write("token", "\n") }, "", "the file is empty"},
		{"two words", func() { write("token", "secret words") }, "", "the token has a space"},
	} {
		step.do()
		got, err := ReadToken(path)
		if got.Reveal() != step.want || (err == nil) != (step.wrong == "") {
			t.Errorf("%s: got %q, %v", step.name, got.Reveal(), err)
		}
		if err != nil && (!strings.Contains(err.Error(), step.wrong) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: got %v, want %s", step.name, err, step.wrong)
		}
	}
}
