package tasks

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/layerq/layerq/internal/wording"
)

// maxPathLevels bounds a path in a message: a payload of 10,000 open brackets
// must not make a message of 10,000 indices.
const maxPathLevels = 8

// plainName is what a member name looks like that needs no quotes in a path.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// fieldPath writes a JSON pointer into doc the way fields are named in
// messages: parts[0].body for /parts/0/body.
func fieldPath(doc []byte, pointer jsontext.Pointer) string {
	var path strings.Builder
	dec := jsontext.NewDecoder(bytes.NewReader(doc))
	level := 0
	for token := range pointer.Tokens() {
		if level++; level > maxPathLevels {
			path.WriteString("...")
			break
		}
		// The kind of the container tells an index from a member named "0".
		if descend(dec, token) == '[' {
			path.WriteString("[" + token + "]")
			continue
		}
		writeName(&path, token)
	}
	return path.String()
}

// descend enters the next value and stops before the element that token names.
// It returns the kind of what it entered. What it finds broken it leaves: the
// caller is on its way to that very place.
func descend(dec *jsontext.Decoder, token string) jsontext.Kind {
	open, err := dec.ReadToken()
	if err != nil {
		return 0
	}
	switch open.Kind() {
	case '[':
		index, _ := strconv.Atoi(token)
		for range index {
			if dec.SkipValue() != nil {
				break
			}
		}
	case '{':
		for {
			name, err := dec.ReadToken()
			if err != nil || name.Kind() != '"' || name.String() == token {
				break
			}
			if dec.SkipValue() != nil {
				break
			}
		}
	default: // a scalar has nothing inside
	}
	return open.Kind()
}

func writeName(path *strings.Builder, name string) {
	if !plainName.MatchString(name) {
		path.WriteString("[" + wording.Quote(name) + "]")
		return
	}
	if path.Len() > 0 {
		path.WriteByte('.')
	}
	path.WriteString(name)
}

// joinPath puts a path below a prefix, either of which may be empty.
func joinPath(prefix, path string) string {
	if prefix == "" || path == "" || path[0] == '[' {
		return prefix + path
	}
	return prefix + "." + path
}
