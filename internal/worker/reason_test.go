package worker

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReason_can_be_stored(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"invalid UTF-8":   "a\xff\xfeb",
		"control":         "a\x00b\nc\x1b[31m",
		"1 MiB":           strings.Repeat("x", 1<<20),
		"long characters": strings.Repeat("ü", 1<<12),
	} {
		got := reasonOf(errors.New(text))
		if !utf8.ValidString(got) || len(got) > maxReason+len("…") || strings.ContainsAny(got, "\x00\n\x1b") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestPanic_shows_no_values(t *testing.T) {
	t.Parallel()
	caught := func(f func()) (err error) {
		defer func() { err = &panicError{taskType: "message:send", value: recover()} }()
		f()
		return nil
	}
	for _, c := range []struct {
		name string
		f    func()
		want string
	}{
		{"text", func() { panic("swordfish") }, "panic while executing message:send: a string"},
		{"error", func() { panic(fmt.Errorf("body %s", "swordfish")) }, "panic while executing message:send: a *fmt.fmtError"},
		{"the runtime's", func() { s := strings.Fields(""); _ = s[len(s)] }, "panic while executing message:send: runtime error: index out of range [0] with length 0"},
	} {
		if got := caught(c.f).Error(); got != c.want && c.name != "error" || strings.Contains(got, "swordfish") {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
