package config

import (
	"fmt"

	"github.com/spf13/pflag"
)

// addFlags makes a flag of each setting. They take any text: what is wrong with
// it is said by load, together with everything else.
func addFlags(flags *pflag.FlagSet, settings []setting) {
	flags.SortFlags = false // the table's order keeps together what belongs together
	for _, s := range settings {
		// The flag's own default is empty, so that nothing is a default twice: the
		// text of help names it.
		flags.Var(&text{metavar: s.metavar}, s.name, s.usage())
	}
}

// usage is the line of help: what it is, the default, and the variable.
func (s setting) usage() string {
	if s.def == "" {
		return fmt.Sprintf("%s [%s]", s.meaning, s.variable)
	}
	return fmt.Sprintf("%s (default %s) [%s]", s.meaning, s.def, s.variable)
}

// text is a flag's value that is understood later.
type text struct{ value, metavar string }

// Set takes any text.
func (t *text) Set(s string) error { t.value = s; return nil }

// String returns what was given.
func (t *text) String() string { return t.value }

// Type names what the flag takes, in help.
func (t *text) Type() string { return t.metavar }
