package config_test

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/golden"
)

// worker loads a configuration from lines of VARIABLE=value and --flag=value.
func worker(t testing.TB, lines ...string) (*config.Worker, error) {
	t.Helper()
	flags := pflag.NewFlagSet("worker", pflag.ContinueOnError)
	config.WorkerFlags(flags)
	environ, args := split(lines)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.LoadWorker(flags, environ)
}

func split(lines []string) (environ, args []string) {
	for _, line := range lines {
		if strings.HasPrefix(line, "--") {
			args = append(args, line)
		} else {
			environ = append(environ, line)
		}
	}
	return environ, args
}

// readLines returns the lines of a file that are neither empty nor a comment.
func readLines(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for scan := bufio.NewScanner(bytes.NewReader(content)); scan.Scan(); {
		if line := scan.Text(); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

func eachFile(t *testing.T, pattern string, check func(t *testing.T, name string, lines []string)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			name := strings.TrimSuffix(filepath.ToSlash(path), ".env")
			check(t, strings.TrimPrefix(name, "testdata/"), readLines(t, path))
		})
	}
}

func TestGoodFiles(t *testing.T) {
	t.Parallel()
	eachFile(t, "good/*.env", func(t *testing.T, name string, lines []string) {
		t.Helper()
		cfg, err := worker(t, lines...)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := cfg.Settings.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		for _, warning := range cfg.Warnings {
			out.WriteString("warning: " + warning + "\n")
		}
		golden.Equal(t, name+".golden", out.Bytes())
	})
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	eachFile(t, "bad/*.env", func(t *testing.T, name string, lines []string) {
		t.Helper()
		_, err := worker(t, lines...)
		if err == nil {
			t.Fatal("was taken")
		}
		for _, secret := range []string{"hunter2", "s3cret"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q is shown", secret)
			}
		}
		golden.Equal(t, name+".golden", []byte(err.Error()+"\n"))
	})
}
