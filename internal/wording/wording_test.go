package wording_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/wording"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", "", `""`},
		{"a word", "soon", `"soon"`},
		{"what would steer a terminal", "a\x1b[31m\n", `"a\x1b[31m\n"`},
		{"what is no UTF-8", "a\xff", `"a\xff"`},
		{"a long one", strings.Repeat("x", 65), `"` + strings.Repeat("x", 64) + `"...`},
		{"a long one, not cut within a letter", strings.Repeat("x", 63) + "äö", `"` + strings.Repeat("x", 63) + `"...`},
	} {
		if got := wording.Quote(tc.in); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "soon...": "soon...", strings.Repeat("x", 64): strings.Repeat("x", 64), strings.Repeat("x", 65): strings.Repeat("x", 64) + "..."} {
		if got := wording.Cut(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestFileProblem(t *testing.T) {
	t.Parallel()
	_, missing := os.Open(t.TempDir() + "/none")
	_, directory := os.ReadFile(t.TempDir())
	for _, tc := range []struct {
		err  error
		want string
	}{
		{missing, "there is no such file"},
		{directory, "is a directory"},
		{errors.New("is no regular file"), "is no regular file"},
	} {
		if got := wording.FileProblem(tc.err); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.err, got, tc.want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for in, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 1500 * time.Millisecond: "1.5s", 10 * time.Minute: "10m", 90 * time.Second: "1m30s",
		24 * time.Hour: "24h", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s",
	} {
		if got := wording.Duration(in); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
