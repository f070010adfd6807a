package taskstest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// fakeT is a testing.TB for examples and for tests of failures: it prints what
// a test would report.
type fakeT struct {
	testing.TB

	cleanups []func()
	reported []string
}

func (*fakeT) Helper() {}

func (*fakeT) Context() context.Context { return context.Background() }

func (f *fakeT) Cleanup(clean func()) { f.cleanups = append(f.cleanups, clean) }

func (f *fakeT) Errorf(format string, args ...any) {
	f.reported = append(f.reported, fmt.Sprintf(format, args...))
}

func (f *fakeT) Fatalf(format string, args ...any) { f.Errorf(format, args...) }

// end runs the cleanups as the end of a test does.
func (f *fakeT) end() {
	for _, clean := range slices.Backward(f.cleanups) {
		clean()
	}
}
