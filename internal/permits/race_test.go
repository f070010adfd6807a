//go:build race

package permits

// raceDetector: everything takes ten times as long.
const raceDetector = true
