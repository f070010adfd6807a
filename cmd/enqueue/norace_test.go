//go:build !race

package main

// raceEnabled is for tests that measure.
const raceEnabled = false
