package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/layerq/layerq/internal/nearest"
)

const (
	ourPrefix      = "LAYERQ_"         // nobody else's
	layerPrefix    = "LAYER_"          // also other programs that talk to Layer
	emulatorPrefix = "LAYER_EMULATOR_" // the emulator's, often in the same env file
)

// serviceLink matches the names of variables that Kubernetes and Docker links set for a
// service, such as one named layerq-worker. See "Discovering services" in the
// documentation of Kubernetes.
var (
	serviceLink = regexp.MustCompile(`_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
	servicePort = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// unknown finds variables that look as if they were settings, and are none:
// those that must be wrong, and warnings about those that may be. Values are not
// shown, they could be secrets.
func unknown(environ []string) (wrong Errors, warnings []string) {
	known := variables()
	var names []string
	for _, entry := range environ {
		name, value, found := strings.Cut(entry, "=")
		if found && suspicious(name, value) && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		meant := meantBy(name, known)
		if meant == "" && !strings.HasPrefix(name, ourPrefix) {
			warnings = append(warnings, fmt.Sprintf("environment variable %s is none of layerq's and has no effect", name))
			continue
		}
		e := &Error{Source: name, Problem: "is no variable of layerq"}
		if meant != "" {
			e.Problem += fmt.Sprintf(", did you mean %s?", meant)
		}
		wrong = append(wrong, e)
	}
	return wrong, warnings
}

// Unknown finds variables of environ that begin with prefix and are none of known,
// where nobody else's begin with it: a misspelt one would be without effect, and
// nobody would notice. What Kubernetes sets for services is left alone. It is
// for programs whose settings are not in this package.
func Unknown(environ []string, prefix string, known []string) Errors {
	var names []string
	for _, entry := range environ {
		name, value, found := strings.Cut(entry, "=")
		if found && strings.HasPrefix(name, prefix) && !isServiceLink(name, value) && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	rests := make([]string, len(known))
	for i, k := range known {
		rests[i] = strings.TrimPrefix(k, prefix)
	}
	var wrong Errors
	for _, name := range slices.Compact(names) {
		e := &Error{Source: name, Problem: "is no variable of this program"}
		if meant := nearest.To(strings.TrimPrefix(name, prefix), rests); meant != "" {
			e.Problem += fmt.Sprintf(", did you mean %s?", prefix+meant)
		}
		wrong = append(wrong, e)
	}
	return wrong
}

// meantBy compares what stands behind the prefix, so that two short names are not
// near for having the prefix in common.
func meantBy(name string, known []string) string {
	for _, prefix := range []string{ourPrefix, layerPrefix} {
		rest, found := strings.CutPrefix(name, prefix)
		if !found {
			continue
		}
		var rests []string
		for _, k := range known {
			if r, found := strings.CutPrefix(k, prefix); found {
				rests = append(rests, r)
			}
		}
		if meant := nearest.To(rest, rests); meant != "" {
			return prefix + meant
		}
	}
	return ""
}

func suspicious(name, value string) bool {
	if !strings.HasPrefix(name, ourPrefix) && !strings.HasPrefix(name, layerPrefix) {
		return false
	}
	return !strings.HasPrefix(name, emulatorPrefix) && !isServiceLink(name, value)
}

func isServiceLink(name, value string) bool {
	return serviceLink.MatchString(name) || strings.HasSuffix(name, "_PORT") && servicePort.MatchString(value)
}

// variables lists all variables of all programs.
func variables() []string {
	names := make([]string, 0, 2*len(table))
	for _, s := range table {
		names = append(names, s.variable, s.variable+fileSuffix)
	}
	return names
}
