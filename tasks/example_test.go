package tasks_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// exampleT stands in for the *testing.T that a test has.
type exampleT struct {
	testing.TB

	cleanups []func()
}

func (*exampleT) Helper() {}

func (*exampleT) Context() context.Context { return context.Background() }

func (t *exampleT) Cleanup(clean func()) { t.cleanups = append(t.cleanups, clean) }

func (*exampleT) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) } //nolint:forbidigo // what an example shows

func (t *exampleT) Fatalf(format string, args ...any) { t.Errorf(format, args...) }

func (t *exampleT) end() {
	for _, clean := range slices.Backward(t.cleanups) {
		clean()
	}
}
