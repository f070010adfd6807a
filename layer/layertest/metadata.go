package layertest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxNesting is how deep what is stored may be nested, and how many names a
// property may have: far more than anybody needs, and little enough to walk.
const maxNesting = 500

// parseMetadata reads metadata: strings and nested objects of strings. Absent
// and null are nil.
//
// Layer docs: platform, conversations, metadata.
func (c *call) parseMetadata(v any) (map[string]any, *failure) {
	if v == nil {
		return nil, nil //nolint:nilnil // no metadata and no failure
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, rejected("metadata", "it must be an object")
	}
	return m, c.checkMetadata(m, "metadata")
}

// checkMetadata checks a value that is, or is to become, the named property.
func (c *call) checkMetadata(v any, property string) *failure {
	where, problem := c.wrongMetadata(v, 1)
	if problem == "" {
		return nil
	}
	slices.Reverse(where)
	return rejected(strings.Join(append([]string{property}, where...), "."), problem)
}

// wrongMetadata returns what is wrong with a value, if anything is, and the
// keys that lead there, the innermost first.
func (c *call) wrongMetadata(v any, depth int) (where []string, problem string) {
	switch v := v.(type) {
	case string:
		if limit := c.maxInline(); len(v) > limit && !c.e.config.Switches.AnyMetadata {
			return nil, "it is longer than " + strconv.Itoa(limit) + " bytes"
		}
		return nil, ""
	case map[string]any:
		if depth > maxNesting {
			return nil, "it is nested too deeply"
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if where, problem = nil, c.wrongKey(key); problem == "" {
				where, problem = c.wrongMetadata(v[key], depth+1)
			}
			if problem != "" {
				return append(where, key), problem
			}
		}
		return nil, ""
	default:
		return nil, "it must be a string or an object"
	}
}

// wrongKey returns what is wrong with a key of metadata, if anything is. A dot
// is not among what the documentation names, but Layer-Patch can escape it.
func (c *call) wrongKey(key string) string {
	odd := func(r rune) bool {
		return !strings.ContainsRune("-_.", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}
	if c.e.config.Switches.AnyMetadata || key != "" && !strings.ContainsFunc(key, odd) {
		return ""
	}
	return "a key must be letters, digits, - and _"
}

// copyMetadata copies metadata whole; none stays none.
func copyMetadata(m map[string]any) map[string]any {
	out := maps.Clone(m)
	for key, v := range out {
		if inner, ok := v.(map[string]any); ok {
			out[key] = copyMetadata(inner)
		}
	}
	return out
}

// deeper says whether a JSON value is nested deeper than so many levels.
func deeper(v any, levels int) bool {
	below := func(v any) bool { return deeper(v, levels-1) }
	switch v := v.(type) {
	case map[string]any:
		return levels == 0 || slices.ContainsFunc(slices.Collect(maps.Values(v)), below)
	case []any:
		return levels == 0 || slices.ContainsFunc(v, below)
	default:
		return false
	}
}
