package config

import (
	"fmt"
	"strings"
)

// Error is one wrong setting. Its text holds no secret.
type Error struct {
	Setting string // the setting's name, such as "retry-min"; empty for an unknown variable
	Source  string // as the user gave it: "--retry-min", "LAYERQ_RETRY_MIN", or "LAYERQ_RETRY_MIN_FILE"
	File    string // the file that was named, where Source ends in _FILE
	Value   string // what was given, as far as it may be shown; see HasValue
	Problem string // what is wrong with it, as the end of a sentence
	Allowed string // what would be right
	// HasValue tells an empty value from a setting that was not given, or whose
	// value could not be read.
	HasValue bool
}

// Error returns one line: source, value, problem, and what is allowed.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Source)
	if e.File != "" {
		fmt.Fprintf(&b, "=%s", e.File)
	}
	switch {
	case e.HasValue && e.File != "":
		fmt.Fprintf(&b, " holds %s", quote(e.Value))
	case e.HasValue:
		fmt.Fprintf(&b, "=%s", quote(e.Value))
	}
	b.WriteString(": " + e.Problem)
	if e.Allowed != "" {
		b.WriteString("; allowed: " + e.Allowed)
	}
	return b.String()
}

// quote makes a value readable on one line, whatever is in it.
func quote(value string) string {
	const most = 100 // bytes: enough to recognise it by
	if len(value) > most {
		return fmt.Sprintf("%q (the first of %d bytes)", value[:most], len(value))
	}
	return fmt.Sprintf("%q", value)
}

// Errors is everything that is wrong with a configuration, in the order of the
// table of settings.
type Errors []*Error

// Error returns one line for each error.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the first [*Error].
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, err := range e {
		all[i] = err
	}
	return all
}

// orNil returns e as an error, which must be nil where there is none.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
