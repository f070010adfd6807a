package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/golden"
)

// commands walks over all commands, with their names as they are typed.
func commands(t *testing.T) [][]string {
	t.Helper()
	root := (&program{now: time.Now}).rootCommand()
	all := [][]string{{"help"}, {"completion"}, {"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, {"completion", "powershell"}}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		all = append(all, strings.Fields(cmd.CommandPath())[1:])
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return all
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	t.Parallel()
	for _, words := range commands(t) {
		name := strings.Join(append([]string{"enqueue"}, words...), "_")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &cli{t: t}
			got := c.want(console.Done, append(words, "--help")...)
			if !strings.Contains(got.stdout, "Examples:\n  ") || got.stderr != "" {
				t.Errorf("help has no example, or says something on standard error: %s%s", got.stdout, got.stderr)
			}
			// The help of the shells' scripts is cobra's own.
			if len(words) < 2 {
				golden.Equal(t, "help/"+name+".golden", []byte(got.stdout))
			}
		})
	}
}

func TestHelpIsTheSameByEitherName(t *testing.T) {
	t.Parallel()
	c := &cli{t: t}
	if flag, command := c.want(console.Done, "bulk", "--help"), c.want(console.Done, "help", "bulk"); flag != command {
		t.Errorf("enqueue bulk --help says %s, enqueue help bulk %s", flag.stdout, command.stdout)
	}
}

func TestNoCommandIsWrongUsage(t *testing.T) {
	t.Parallel()
	got := (&cli{t: t}).want(console.Wrong)
	if got.stdout != "" || !strings.Contains(got.stderr, "Usage:") || !strings.Contains(got.stderr, "enqueue: a command is missing") {
		t.Errorf("got %+v", got)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if got := (&cli{t: t}).want(console.Done, "--version"); !strings.HasPrefix(got.stdout, "enqueue ") || !strings.Contains(got.stdout, " go1.") {
		t.Errorf("got %+v", got)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"commands", []string{""}, []string{"message\t", "bulk\t", "queues\t"}},
		{"queues", []string{"message", "--queue", ""}, []string{"critical\n", "default\n", "bulk\n"}},
		{"queues of bulk", []string{"bulk", "--queue", ""}, []string{"critical\n"}},
		{"task types", []string{"task", ""}, []string{"message:send\t", "user:block\t"}},
		{"task types to show", []string{"types", "mess"}, []string{"message:send\t"}},
		{"levels", []string{"status", "--log-level", ""}, []string{"debug\n", "error\n"}},
		{"flags", []string{"message", "--con"}, []string{"--conversation\t"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := (&cli{t: t}).want(console.Done, append([]string{"__complete"}, tc.args...)...)
			for _, word := range tc.want {
				if !strings.Contains(got.stdout, word) {
					t.Errorf("%q is not offered: %s", word, got.stdout)
				}
			}
		})
	}
}

func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := (&cli{t: t}).want(console.Done, "completion", shell); len(got.stdout) < 1000 {
			t.Errorf("%s: %d bytes", shell, len(got.stdout))
		}
	}
}
