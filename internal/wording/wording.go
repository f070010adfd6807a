// Package wording has what several packages say alike in their messages.
package wording

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

// Quote quotes what somebody else wrote, for a message: on one line, control
// characters escaped, and no more than its first 64 bytes.
func Quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "..."
	}
	return strconv.Quote(s)
}

// FileProblem is an error about a file without the name of the file, which stands
// before it or must not be shown.
func FileProblem(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "there is no such file"
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
