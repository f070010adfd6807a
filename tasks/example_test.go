package tasks_test

import (
	"fmt"
	"testing"
)

// exampleT stands in for the *testing.T that a test has.
type exampleT struct {
	testing.TB

	cleanups []func()
}

func (*exampleT) Helper() {}

func (t *exampleT) Cleanup(clean func()) { t.cleanups = append(t.cleanups, clean) }

func (*exampleT) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) } //nolint:forbidigo // what an example shows

func (t *exampleT) Fatalf(format string, args ...any) { t.Errorf(format, args...) }

func (t *exampleT) end() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}
