package taskstest_test

import (
	"fmt"
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

func (f *fakeT) Cleanup(clean func()) { f.cleanups = append(f.cleanups, clean) }

func (f *fakeT) Errorf(format string, args ...any) {
	f.reported = append(f.reported, fmt.Sprintf(format, args...))
}

func (f *fakeT) Fatalf(format string, args ...any) { f.Errorf(format, args...) }

// end runs the cleanups as the end of a test does.
func (f *fakeT) end() {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
}
