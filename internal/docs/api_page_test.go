package docs_test

import (
	"fmt"
	"slices"
	"strings"
)

// markdown writes a table for each chapter of the reference.
func (all inventory) markdown() string {
	var b strings.Builder
	for _, chapter := range reference {
		fmt.Fprintf(&b, "\n## %s\n\n", chapter.name)
		b.WriteString("| endpoint | `layer` | `tasks` | `layer/layertest` | section |\n|---|---|---|---|---|\n")
		for _, e := range chapter.endpoints {
			f := all.at(e.operation)
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", e.operation,
				methodCell(f), taskCell(e, f), placesCell("layer/layertest", []place{f.handler}), sectionCell(chapter.name, f))
		}
	}
	b.WriteString("\n")
	return b.String()
}

func methodCell(f *facts) string {
	return placesCell("layer", f.methods)
}

// placesCell names functions, those of one file together.
func placesCell(directory string, places []place) string {
	var (
		files []string
		names = map[string][]string{}
	)
	for _, p := range places {
		if !slices.Contains(files, p.file) {
			files = append(files, p.file)
		}
		names[p.file] = append(names[p.file], "`"+p.name+"`")
	}
	for i, file := range files {
		files[i] = fmt.Sprintf("%s in [%s](../%s/%[2]s)", strings.Join(names[file], ", "), file, directory)
	}
	return strings.Join(files, "; ")
}

func taskCell(e endpoint, f *facts) string {
	switch {
	case len(f.tasks) > 0:
		return "`" + strings.Join(f.tasks, "`, `") + "`"
	case isWrite(e.operation):
		return "none: " + e.noTask
	default:
		return "-"
	}
}

// sectionCell is the whole chapter where there is no method to say more: what
// only the emulator serves is of the API that users call.
func sectionCell(chapter string, f *facts) string {
	if len(f.sections) == 0 {
		return "Client API: " + chapter
	}
	return strings.Join(f.sections, "; ")
}
