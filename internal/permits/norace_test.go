//go:build !race

package permits

// raceDetector: see the other file.
const raceDetector = false
