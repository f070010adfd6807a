package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/tasks"
)

func (p *program) archivedCommand() *cobra.Command {
	var (
		selection filterFlags
		asJSON    bool
	)
	cmd := &cobra.Command{
		Use:   "archived",
		Short: "List the dead letters: tasks that were given up",
		Long: `List the dead letters, a line each: tasks that were given up, the ones that were
archived first at the top. They stay until they are replayed or deleted.

The columns are when the task was archived, its id, type and queue, the code that
it ended with, how often Layer answered, and the error.`,
		Example: `  enqueue archived
  enqueue archived --type message:send --code not_found --since 24h
  enqueue archived --json | jq -r .code | sort | uniq -c`,
		GroupID: groupLook,
		Args:    console.Arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var wrong problems
			filter := selection.filter(p.now(), &wrong)
			c, err := p.open(cmd, &wrong)
			if err != nil {
				return err
			}
			defer c.Close()
			none := true
			for info, err := range c.Archived(cmd.Context(), filter) {
				none = false
				if err == nil {
					err = p.writeArchived(info, asJSON)
				}
				if err != nil {
					return c.explain(err)
				}
			}
			if none && !asJSON {
				fmt.Fprintln(p.stderr, "enqueue: "+nothingArchived(filter))
			}
			return nil
		},
	}
	selection.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object for each, one a line")
	return cmd
}

// foreign shows a type or a code that anybody may have written into Redis.
func foreign(word string) string { return console.Printable(wording.Cut(word)) }

func nothingArchived(filter tasks.Filter) string {
	if filter == (tasks.Filter{}) {
		return "no task is archived"
	}
	return "no archived task matches"
}

func (p *program) writeArchived(info *tasks.Info, asJSON bool) error {
	if asJSON {
		return p.writeJSON(info)
	}
	_, err := fmt.Fprintln(p.stdout, strings.Join([]string{
		timeOrNothing(info.ArchivedAt), info.ID.String(), foreign(info.Type), info.Queue, cmp.Or(foreign(info.Code), "-"),
		strconv.Itoa(info.Attempts), console.Printable(info.Error),
	}, "  "))
	return err
}
