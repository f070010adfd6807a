package tasks

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesOfTheWorker(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	secret := fileURL(t, outside, "secret", []byte("secret"))
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	sources, err := NewSources(Sources{Dirs: []string{dir}, MaxBytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, source, want string
		temporary          bool
	}{
		{"one inside", fileURL(t, dir, "a", []byte("hello")), "", false},
		{"one outside", secret, "is not in a directory that this worker may read", false},
		{"one outside, by dots", "file://" + dir + "/../" + filepath.Base(outside) + "/secret", "is not in a directory that this worker may read", false},
		{"one outside, by a link", "file://" + dir + "/link", "path escapes from parent", false},
		{"one that is not there", "file://" + dir + "/nothing", "there is no such file", false},
		{"a directory", "file://" + dir, "is no regular file", false},
		{"one that is too large", fileURL(t, dir, "large", picture(104)), "has 104 bytes, at most 100 are taken", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := sources.fetchAll(t.Context(), c.source)
			if c.want == "" {
				if err != nil || got != "hello" {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			failed, ok := errors.AsType[*SourceError](err)
			if !ok || failed.Problem != c.want || failed.Temporary != c.temporary {
				t.Errorf("%v", err)
			}
		})
	}
	_, err = defaultSources.fetchAll(t.Context(), secret)
	if !strings.HasSuffix(errText(err), "is not in a directory that this worker may read") {
		t.Errorf("by default: %v", err)
	}
	missing, err := NewSources(Sources{Dirs: []string{filepath.Join(dir, "volume")}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = missing.fetchAll(t.Context(), "file://"+dir+"/volume/a")
	if failed, ok := errors.AsType[*SourceError](err); !ok || !failed.Temporary {
		t.Errorf("a volume that is not mounted: %v", err)
	}
}
