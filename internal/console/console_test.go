package console_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
)

// asProgram makes the test binary a program that ends with its second signal.
const asProgram = "CONSOLE_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	ctx, _ := console.Signals("prog", os.Stderr)
	_, _ = os.Stdout.WriteString("ready\n")
	<-ctx.Done()
	_, _ = os.Stdout.WriteString("first\n")
	<-make(chan int)
}

// tree is a small program.
func tree() *cobra.Command {
	root := &cobra.Command{
		Use: "prog COMMAND", Short: "A program", Version: "1", Args: console.KnownCommand,
		RunE: func(*cobra.Command, []string) error { return console.Usage(errors.New("a command is missing")) },
	}
	work := &cobra.Command{
		Use: "work NAME", Short: "Do work", Example: "  prog work x", Args: console.Arguments(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "fails":
				return errors.New("first line\nsecond \x1b[31mline")
			case "said":
				return errors.Join(console.ErrSaid)
			case "wrong":
				return console.Usage(errors.New("NAME: is wrong"))
			}
			cmd.PrintErrln("to stderr")
			_, err := cmd.OutOrStdout().Write([]byte("done " + args[0] + "\n"))
			return err
		},
	}
	work.Flags().Bool("wait", false, "wait for it")
	work.Flags().String("print", "", "print (`text|json`)")
	work.Flags().Lookup("print").NoOptDefVal = "text"
	work.Flags().String("colour", "", "a `COLOUR`")
	root.AddCommand(work, &cobra.Command{Use: "none", Short: "Do nothing", Example: "  prog none", Args: console.Arguments(0), RunE: func(*cobra.Command, []string) error { return nil }})
	return root
}

type result struct {
	Code        int
	Out, Stderr string
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	code := console.Run(t.Context(), tree(), args, &out, &stderr)
	return result{code, out.String(), stderr.String()}
}

func TestExitCodesAndWhatIsSaid(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args string
		want result
	}{
		{"it is done", "work x", result{console.Done, "done x\n", "to stderr\n"}},
		{"it fails in two lines, which do not steer the terminal", "work fails", result{console.Failed, "", "prog: first line\nprog: second  [31mline\n"}},
		{"it said what is wrong itself", "work said", result{console.Failed, "", ""}},
		{"wrong usage that the work found", "work wrong", result{console.Wrong, "", "prog: NAME: is wrong\nSee 'prog work --help'.\n"}},
		{"no command", "", result{console.Wrong, "", "prog: a command is missing\nSee 'prog --help'.\n"}},
		{"a mistyped command", "wark", result{console.Wrong, "", "prog: unknown command \"wark\", did you mean \"work\"?\nSee 'prog --help'.\n"}},
		{"no argument", "work", result{console.Wrong, "", "prog: NAME is missing\nSee 'prog work --help'.\n"}},
		{"an argument too many", "work x y", result{console.Wrong, "", "prog: work takes NAME, but \"y\" was given as well\nSee 'prog work --help'.\n"}},
		{"an argument where none is taken", "none x", result{console.Wrong, "", "prog: none takes no argument, but \"x\" was given\nSee 'prog none --help'.\n"}},
		{"a mistyped flag", "work --color red", result{console.Wrong, "", "prog: unknown flag --color, did you mean --colour?\nSee 'prog work --help'.\n"}},
		{"a flag with one dash", "work -x", result{console.Wrong, "", "prog: unknown flag -x: flags have two dashes\nSee 'prog work --help'.\n"}},
		{"help of what there is not", "help wark", result{console.Wrong, "", "prog: unknown command \"wark\", did you mean \"work\"?\nSee 'prog help --help'.\n"}},
		{"help of what there is not, deeper", "help completion tcsh", result{console.Wrong, "", "prog: unknown command \"tcsh\"\nSee 'prog help --help'.\n"}},
		{"completion of no shell", "completion", result{console.Wrong, "", "prog: which shell is missing: bash, zsh, fish or powershell\nSee 'prog completion --help'.\n"}},
		{"completion of an unknown shell", "completion fihs", result{console.Wrong, "", "prog: unknown command \"fihs\", did you mean \"fish\"?\nSee 'prog completion --help'.\n"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, run(t, strings.Fields(tc.args)...)); diff != "" {
				t.Errorf("prog %s (-want +got):\n%s", tc.args, diff)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	const want = `Do work

Usage:
  prog work NAME

Examples:
  prog work x

Flags:
      --wait                wait for it
      --print[=text|json]   print (text|json)
      --colour COLOUR       a COLOUR
  -h, --help                help for work
`
	if diff := cmp.Diff(result{console.Done, want, ""}, run(t, "work", "--help")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, words := range []string{"", "work", "none", "help", "completion", "completion bash", "completion zsh", "completion fish", "completion powershell"} {
		flag, command := run(t, append(strings.Fields(words), "--help")...), run(t, append([]string{"help"}, strings.Fields(words)...)...)
		if diff := cmp.Diff(flag, command); diff != "" {
			t.Errorf("%s --help is not help %s:\n%s", words, words, diff)
		}
		if words != "" && !strings.Contains(flag.Out, "Examples:\n  ") {
			t.Errorf("the help of %s has no example:\n%s", words, flag.Out)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestResultsThatCannotBeWrittenAreAFailure(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"work", "x"}, {"work", "--help"}, {"completion", "bash"}} {
		var stderr bytes.Buffer
		if code := console.Run(t.Context(), tree(), args, fullDisk{}, &stderr); code != console.Failed || !strings.Contains(stderr.String(), "no space left on device") {
			t.Errorf("%v: exit %d, stderr %q", args, code, stderr.String())
		}
	}
}

func TestASecondSignalEndsTheProcess(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = []string{asProgram + "=1"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ready\n", "first\n"} {
		got := make([]byte, len(want))
		if _, err := out.Read(got); err != nil || string(got) != want {
			t.Fatalf("got %q, %v", got, err)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait() // its exit code is looked at
	if code := cmd.ProcessState.ExitCode(); code != console.Failed || stderr.String() != "prog: second signal (terminated), ends at once\n" {
		t.Errorf("exit %d, stderr %q", code, stderr.String())
	}
}
