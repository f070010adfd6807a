package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

func (p *program) taskCommand() *cobra.Command {
	var common taskFlags
	cmd := &cobra.Command{
		Use:   "task TYPE [JSON|@FILE|-]",
		Short: "Enqueue a task of any type, with its args as JSON",
		Long: `Enqueue a task of any type, with its args as JSON: given as an argument, read from
@FILE, or from standard input (-, which is also what is meant by nothing).

"enqueue types TYPE" shows the JSON Schema of the args.`,
		Example: `  enqueue task user:block '{"owner":"alice","user":"mallory"}'
  enqueue task conversation:create @conversation.json --key crew-of-berth-4
  jq -c .args message.json | enqueue task message:send - --wait --json`,
		Args: console.Arguments(1, "TYPE", "JSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var wrong problems
			wrong.empty(cmd.Flags())
			argument := "-"
			if len(args) > 1 {
				argument = args[1]
			}
			task, err := p.readTask(args[0], argument)
			if err != nil {
				wrong.lines = append(wrong.lines, err.Error())
			}
			return p.submit(cmd, &common, task, &wrong, nil)
		},
	}
	common.add(cmd)
	return cmd
}

// maxArgs is more than the args of any task: one payload, all of it escaped.
const maxArgs = 6*tasks.MaxPayload + 1024

func (p *program) readTask(taskType, argument string) (tasks.Task, error) {
	args, err := p.readArgs(argument)
	if err != nil {
		return nil, err
	}
	t, err := tasks.New(taskType, args)
	var wrong problems
	wrong.fields(err, nil)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	return t, err
}

func (p *program) readArgs(argument string) ([]byte, error) {
	name, isFile := strings.CutPrefix(argument, "@")
	switch {
	case argument == "-":
		p.hint("reading JSON from the terminal; end it with Ctrl-D")
		return readBounded(p.stdin, "standard input")
	case isFile && name == "":
		return nil, errors.New("@ names no file")
	case isFile:
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("file %s: %s", wording.Quote(name), wording.FileProblem(err))
		}
		defer f.Close()
		return readBounded(f, "file "+wording.Quote(name))
	}
	return []byte(argument), nil
}

func readBounded(r io.Reader, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxArgs+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %s", name, wording.FileProblem(err))
	case len(b) > maxArgs:
		return nil, fmt.Errorf("%s is larger than the args of any task", name)
	}
	return bytes.TrimPrefix(b, []byte("\ufeff")), nil
}
