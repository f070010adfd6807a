package config

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Setting is an effective setting as it may be shown: a secret is "****".
type Setting struct {
	Name     string `json:"setting"`        // such as "retry-min", whose flag is --retry-min
	Variable string `json:"variable"`       // such as "LAYERQ_RETRY_MIN"
	Value    string `json:"value"`          // as it was given; empty where there is none
	From     string `json:"from"`           // "default", "environment", "file", "flag" or "sandbox"
	File     string `json:"file,omitempty"` // the file it was read from
}

// Settings are the effective settings of a program, in the order of its help.
type Settings []Setting

func (l *loaded) effective() Settings {
	all := make(Settings, len(l.settings))
	for i, s := range l.settings {
		g, ok := l.given[s.name]
		if !ok {
			g.From = fromDefault
		}
		all[i] = Setting{Name: s.name, Variable: s.variable, Value: s.show(g.Value), From: g.From, File: l.files[s.name]}
	}
	return all
}

// WriteText writes a table for people: setting, value, where it came from.
func (s Settings) WriteText(w io.Writer) error {
	const gap = 2 // spaces between columns
	t := tabwriter.NewWriter(w, 0, 0, gap, ' ', 0)
	for _, one := range s {
		value := one.Value
		if value == "" {
			value = "-"
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", one.Name, value, one.origin())
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

// WriteJSON writes an array of the settings, for programs.
func (s Settings) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

func (s Setting) origin() string {
	switch s.From {
	case fromEnvironment:
		return s.Variable
	case fromFile:
		return s.Variable + fileSuffix + "=" + s.File
	case fromFlag:
		return "--" + s.Name
	default:
		return s.From
	}
}
