package config

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/layerq/layerq/internal/wording"
)

// A range of durations, both ends included.
type durations struct {
	least, most time.Duration
	whole       time.Duration // multiples of this only; 0 for any
}

// parse reads a Go duration within the range.
func (d durations) parse(s string) (time.Duration, error) {
	got, err := time.ParseDuration(s)
	switch {
	case err != nil || s == "0":
		if strings.Trim(s, "+-.0123456789") == "" {
			return 0, errors.New("has no unit")
		}
		return 0, errors.New("is no duration")
	case got < 0:
		return 0, errors.New("is negative")
	case got == 0:
		return 0, errors.New("is zero")
	case got < d.least:
		return 0, errors.New("is too short")
	case got > d.most:
		return 0, errors.New("is too long")
	case d.whole > 0 && got%d.whole != 0:
		return 0, fmt.Errorf("is no multiple of %s", wording.Duration(d.whole))
	}
	return got, nil
}

// allowed describes the range, with the example that is given.
func (d durations) allowed(example string) string {
	kind := "a Go duration"
	if d.whole == time.Second {
		kind = "a Go duration of whole seconds"
	}
	return fmt.Sprintf("%s from %s to %s, such as %s", kind, wording.Duration(d.least), wording.Duration(d.most), example)
}

// parseCount reads a whole number of least to most.
func parseCount(s string, least, most int) (int, error) {
	n, err := strconv.Atoi(s)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("is too large")
	case err != nil || s[0] == '+':
		return 0, errors.New("is no whole number")
	case n < 0 && least >= 0:
		return 0, errors.New("is negative")
	case n < least:
		return 0, fmt.Errorf("is less than %d", least)
	case n > most:
		return 0, fmt.Errorf("is more than %d", most)
	}
	return n, nil
}

// parseChoice takes one of a few words.
func parseChoice(s string, choices ...string) (string, error) {
	if slices.Contains(choices, s) {
		return s, nil
	}
	if lower := strings.ToLower(s); slices.Contains(choices, lower) {
		return "", fmt.Errorf("must be in lower case: %s", lower)
	}
	return "", errors.New("is none of these")
}

// logLevels are the levels by the names that users give them.
var logLevels = map[string]slog.Level{
	"debug": slog.LevelDebug,
	"info":  slog.LevelInfo,
	"warn":  slog.LevelWarn,
	"error": slog.LevelError,
}

func parseLevel(s string) (slog.Level, error) {
	name, err := parseChoice(s, "debug", "info", "warn", "error")
	return logLevels[name], err
}
