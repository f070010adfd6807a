// Package when reads times and durations as users of the command line write them, in
// flags and in bulk lines. Its errors go on behind what was written: "is no
// time; want one such as ...".
package when

import (
	"errors"
	"strings"
	"time"
)

// Delay reads a Go duration that is not negative.
func Delay(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil || s == "0":
		if strings.Trim(s, "+-.0123456789") == "" {
			return 0, errors.New("has no unit; want a duration such as 90s or 2h")
		}
		return 0, errors.New("is no duration; want one such as 90s or 2h")
	case d < 0:
		return 0, errors.New("is negative; want a duration such as 90s or 2h")
	}
	return d, nil
}

// Time reads a time in RFC 3339.
func Time(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, errors.New("is no time; want one such as 2026-07-01T09:30:00Z or 2026-07-01T09:30:00+02:00")
	}
	return t, nil
}

// End reads a time, or a duration from now.
func End(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return time.Time{}, errors.New("is neither a duration such as 2h nor a time such as 2026-07-01T09:30:00Z")
	case d <= 0:
		return time.Time{}, errors.New("lies not in the future")
	}
	return now.Add(d), nil
}
