package config

import (
	"fmt"
	"strings"
)

// Markdown returns the table of all settings for the documentation.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| variable | flag | default | meaning | allowed |\n|---|---|---|---|---|\n")
	for _, s := range table {
		def := "none"
		if s.def != "" {
			def = "`" + s.def + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `--%s` | %s | %s | %s |\n", s.variable, s.name, def, s.meaning, s.allowed)
	}
	return b.String()
}
