package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/nearest"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

func (p *program) typesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "types [TYPE]",
		Short: "List the task types, or show the JSON Schema of one's args",
		Long: `List the task types, or show the JSON Schema of the args of one. With --json all of
them are printed, with their schemas. This asks no Redis.`,
		Example: `  enqueue types
  enqueue types message:send
  enqueue types --json | jq -r '.[].type'`,
		GroupID: groupLook,
		Args:    console.Arguments(0, "TYPE"),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && asJSON:
				return p.writeJSON(tasks.Types())
			case len(args) == 0:
				_, err := fmt.Fprintln(p.stdout, typeTable())
				return err
			}
			info, err := typeNamed(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return p.writeJSON(info)
			}
			return p.writeSchema(info)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON")
	return cmd
}

func typeTable() string {
	t := table.NewWriter()
	t.SetStyle(plain)
	for _, info := range tasks.Types() {
		t.AppendRow(table.Row{info.Type, info.Doc})
	}
	return trimRight(t.Render())
}

func typeNames() []string {
	var names []string
	for _, info := range tasks.Types() {
		names = append(names, info.Type)
	}
	return names
}

func typeNamed(name string) (tasks.TypeInfo, error) {
	infos := tasks.Types()
	if i := slices.IndexFunc(infos, func(t tasks.TypeInfo) bool { return t.Type == name }); i >= 0 {
		return infos[i], nil
	}
	if meant := nearest.To(name, typeNames()); meant != "" {
		return tasks.TypeInfo{}, usage(fmt.Sprintf("TYPE: %s is unknown, did you mean %q?", wording.Quote(name), meant))
	}
	return tasks.TypeInfo{}, usage(fmt.Sprintf("TYPE: %s is unknown; there are %s", wording.Quote(name), strings.Join(typeNames(), ", ")))
}

func (p *program) writeSchema(info tasks.TypeInfo) error {
	var b bytes.Buffer
	if err := json.Indent(&b, info.Schema, "", "  "); err != nil {
		return fmt.Errorf("schema of %s: %w", info.Type, err)
	}
	_, err := fmt.Fprintln(p.stdout, b.String())
	return err
}
