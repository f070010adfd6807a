// Package wording has what several packages say alike in their messages.
package wording

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// Quote quotes what somebody else wrote, for a message: on one line, control
// characters escaped, and no more than its first 64 bytes.
func Quote(s string) string {
	if cut := Cut(s); cut != s {
		return strconv.Quote(strings.TrimSuffix(cut, ellipsis)) + ellipsis
	}
	return strconv.Quote(s)
}

const ellipsis = "..."

// Cut leaves no more of s than its first 64 bytes.
func Cut(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + ellipsis
	}
	return s
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

// Duration is d.String without its empty ends: 10m instead of 10m0s.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
