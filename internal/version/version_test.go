package version

import (
	"runtime"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, stamp, recorded, goVersion, want string }{
		{"what the linker says goes first", "v1.2.0", "v0.0.0-1", "go1.26.8", "v1.2.0 go1.26.8"},
		{"what Go recorded", "", "v1.1.9", "go1.26.8", "v1.1.9 go1.26.8"},
		{"nothing known of the program", "", "", "go1.26.8", "(devel) go1.26.8"},
		{"nothing known at all", "", "", "", "(devel)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := of(tt.stamp, tt.recorded, tt.goVersion); got != tt.want {
				t.Errorf("of(%q, %q, %q) = %q, want %q", tt.stamp, tt.recorded, tt.goVersion, got, tt.want)
			}
		})
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	if got := String(); !strings.HasSuffix(got, " "+runtime.Version()) {
		t.Errorf("String() = %q, want it to end with %q", got, runtime.Version())
	}
}
