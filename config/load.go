package config

import (
	"errors"
	"slices"

	"github.com/spf13/pflag"
)

// loaded is what the settings of one program came to.
type loaded struct {
	values   values
	settings []setting
	given    map[string]given
	files    map[string]string // which file a setting was read from
	wrong    Errors
	warnings []string
}

// load reads a program's settings and checks each one by itself. An error is
// only what the sources could not be asked for; what is wrong is in wrong.
func load(settings []setting, flags *pflag.FlagSet, environ []string) (*loaded, error) {
	all, err := collect(settings, flags, environ)
	if err != nil {
		return nil, err
	}
	l := &loaded{settings: settings, given: all, files: map[string]string{}}
	for _, s := range settings {
		if g, ok := all[s.name]; ok {
			if e := l.take(s, g); e != nil {
				l.wrong = append(l.wrong, e)
			}
		}
	}
	wrong, warnings := unknown(environ)
	l.wrong, l.warnings = append(l.wrong, wrong...), warnings
	return l, nil
}

// take understands one value.
func (l *loaded) take(s setting, g given) *Error {
	e := &Error{Setting: s.name, Source: g.Source}
	if g.Beside != "" {
		e.Problem = "is set beside " + g.Beside
		e.Allowed = "one of the two"
		return e
	}
	if g.From == fromFile {
		e.File = g.Value
		value, err := readFile(g.Value)
		if err != nil {
			e.Problem, e.Allowed = err.Error(), "the name of a file that holds "+s.allowed
			return e
		}
		l.files[s.name] = g.Value
		g.Value = value
		l.given[s.name] = g
	}
	err := errors.New("is empty")
	if g.Value != "" {
		err = s.parse(&l.values, g.Value)
	}
	if err == nil {
		return nil
	}
	e.HasValue, e.Value = true, s.show(g.Value)
	e.Problem, e.Allowed = err.Error(), s.allowed
	return e
}

// show is value as far as it may be shown.
func (s setting) show(value string) string {
	if s.mask == nil || value == "" {
		return value
	}
	return s.mask(value)
}

// set reports whether the user gave a setting, rightly or wrongly.
func (l *loaded) set(name string) bool {
	g, ok := l.given[name]
	return ok && g.From != fromDefault && g.From != fromSandbox
}

// valid reports whether a setting was understood.
func (l *loaded) valid(name string) bool {
	return !slices.ContainsFunc(l.wrong, func(e *Error) bool { return e.Setting == name })
}

// refuse adds a setting that contradicts another.
func (l *loaded) refuse(name, problem, allowed string) {
	s, g := row(name), l.given[name]
	e := &Error{Setting: name, Source: g.Source, Problem: problem, Allowed: allowed}
	if g.From == fromFile {
		e.File = l.files[name]
	}
	e.HasValue, e.Value = true, s.show(g.Value)
	l.wrong = append(l.wrong, e)
}

// missing adds a setting that others need.
func (l *loaded) missing(name, problem string) {
	s := row(name)
	l.wrong = append(l.wrong, &Error{Setting: name, Source: s.variable + " (--" + name + ")", Problem: problem, Allowed: s.allowed})
}

// row returns the setting of a name. Names are written in this package alone.
func row(name string) setting {
	return table[slices.IndexFunc(table, func(s setting) bool { return s.name == name })]
}

// rows returns the settings of names, in the order of the table.
func rows(names ...string) []setting {
	var some []setting
	for _, s := range table {
		if slices.Contains(names, s.name) {
			some = append(some, s)
		}
	}
	return some
}
