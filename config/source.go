package config

import (
	"fmt"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// Where a value came from, as --print-config says it.
const (
	fromDefault     = "default"
	fromFile        = "file"
	fromEnvironment = "environment"
	fromFlag        = "flag"
	fromSandbox     = "sandbox"
)

// fileSuffix makes of a variable the one that names a file with its value.
const fileSuffix = "_FILE"

// given is a value before it is understood.
type given struct {
	Value string // for a file: its name, until it is read
	From  string
	// Source is what the user wrote it into: "--queues", "LAYERQ_QUEUES", or
	// "LAYERQ_QUEUES_FILE".
	Source string
	// Beside is the second variable of X and X_FILE, where both are set.
	Beside string
}

// collect returns what was given for each of settings, by name: flags over
// environment over default. A setting without any of these is left out.
func collect(settings []setting, flags *pflag.FlagSet, environ []string) (map[string]given, error) {
	const delimiter = "." // in no setting's name: they are not nested
	k := koanf.New(delimiter)
	for _, layer := range []koanf.Provider{
		confmap.Provider(defaults(settings), delimiter),
		env.Provider(delimiter, env.Opt{
			EnvironFunc:   func() []string { return environ },
			TransformFunc: fromVariables(settings),
		}),
		posflag.ProviderWithFlag(flags, delimiter, nil, fromFlags(settings)),
	} {
		if err := k.Load(layer, nil); err != nil {
			return nil, fmt.Errorf("config: %w", err)
		}
	}
	all := make(map[string]given, len(settings))
	for _, s := range settings {
		if g, ok := k.Get(s.name).(given); ok {
			all[s.name] = g
		}
	}
	return all, nil
}

func defaults(settings []setting) map[string]any {
	values := make(map[string]any, len(settings))
	for _, s := range settings {
		if s.def != "" {
			values[s.name] = given{Value: s.def, From: fromDefault, Source: s.variable}
		}
	}
	return values
}

// fromVariables maps variables to settings, and leaves out all others.
func fromVariables(settings []setting) func(variable, value string) (string, any) {
	names := make(map[string]string, 2*len(settings))
	for _, s := range settings {
		names[s.variable], names[s.variable+fileSuffix] = s.name, s.name
	}
	seen := map[string]string{} // the variable that a setting was given by
	return func(variable, value string) (string, any) {
		name := names[variable]
		if name == "" {
			return "", nil
		}
		g := given{Value: value, From: fromEnvironment, Source: variable}
		if strings.HasSuffix(variable, fileSuffix) {
			g.From = fromFile
		}
		if first := seen[name]; first != "" && first != variable {
			g.Source, g.Beside = min(first, variable), max(first, variable)
		}
		seen[name] = variable
		return name, g
	}
}

// fromFlags takes the flags that were given, and leaves out all others.
func fromFlags(settings []setting) func(f *pflag.Flag) (string, any) {
	names := make(map[string]bool, len(settings))
	for _, s := range settings {
		names[s.name] = true
	}
	return func(f *pflag.Flag) (string, any) {
		if !names[f.Name] || !f.Changed {
			return "", nil
		}
		return f.Name, given{Value: f.Value.String(), From: fromFlag, Source: "--" + f.Name}
	}
}
