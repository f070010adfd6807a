//go:build !faults || !linux

package failpoint

// Reach does nothing in this build.
func Reach(Point, []byte) {}

// Soon does nothing in this build.
func Soon(Point) {}

// Without is false in this build.
func Without(Mechanism) bool { return false }

// Leave does nothing in this build, and returns false.
func Leave(...Mechanism) bool { return false }
