// Package logging makes the logger of a program: slog lines on standard error,
// as text for people or as JSON for collectors.
package logging

import (
	"io"
	"log/slog"
)

// The formats that New knows, as --log-format and LAYERQ_LOG_FORMAT name them.
const (
	Text = "text" // key=value pairs, one line an event; the default
	JSON = "json" // one JSON object a line
)

// New returns a logger that writes the events of level and above to w. Any
// format but [JSON] means [Text]: config has refused others by then.
//
// Times are written in UTC with milliseconds, so that the lines of a fleet
// sort, and levels in lower case, as --log-level takes them.
func New(w io.Writer, format string, level slog.Level) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: replace}
	if format == JSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

var levels = map[slog.Level]string{
	slog.LevelDebug: "debug",
	slog.LevelInfo:  "info",
	slog.LevelWarn:  "warn",
	slog.LevelError: "error",
}

func replace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		if a.Value.Kind() == slog.KindTime {
			return slog.String(a.Key, a.Value.Time().UTC().Format(timeFormat))
		}
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok && levels[level] != "" {
			return slog.String(a.Key, levels[level])
		}
	}
	return a
}
