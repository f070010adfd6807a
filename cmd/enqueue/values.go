package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/layerq/layerq/internal/wording"
)

// textValue is a flag's value as it was given: what is wrong with it is said together
// with everything else.
type textValue struct {
	value   *string
	metavar string
}

func (t textValue) Set(s string) error { *t.value = s; return nil }
func (t textValue) String() string     { return *t.value }
func (t textValue) Type() string       { return t.metavar }

// textVar adds a flag that takes a text.
func textVar(flags *pflag.FlagSet, value *string, name, metavar, usage string) {
	flags.Var(textValue{value, metavar}, name, usage)
}

// users is a list of user ids, separated by commas or given one by one.
type users struct{ ids *[]string }

func (u users) Set(s string) error { *u.ids = append(*u.ids, strings.Split(s, ",")...); return nil }
func (u users) String() string     { return strings.Join(*u.ids, ",") }
func (u users) Type() string       { return "USER,..." }

// pairs is a list of k=v, given one by one.
type pairs struct{ items *[]string }

func (p pairs) Set(s string) error { *p.items = append(*p.items, s); return nil }
func (p pairs) String() string     { return strings.Join(*p.items, " ") }
func (p pairs) Type() string       { return "K=V" }

// metadata makes the map of pairs. Layer's own rules about keys and values are
// checked with the task.
func metadata(items []string, p *problems) map[string]string {
	if len(items) == 0 {
		return nil
	}
	m := make(map[string]string, len(items))
	for _, item := range items {
		key, value, found := strings.Cut(item, "=")
		switch _, twice := m[key]; {
		case item == "" && p.flags["--metadata"]:
			// It was said that it is empty.
		case !found:
			p.add("--metadata", "%s has no =: write KEY=VALUE", wording.Quote(item))
		case key == "":
			p.add("--metadata", "%s has no key before its =", wording.Quote(item))
		case twice:
			p.add("--metadata", "the key %s is given twice", wording.Quote(key))
		default:
			m[key] = value
		}
	}
	return m
}
