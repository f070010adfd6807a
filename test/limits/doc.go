// Package limits proves what docs/limits.md promises with real processes: workers, a
// redis-server, the emulator with a strict window, and a network with jitter
// between them. It runs with the tag limits and needs a redis-server:
//
//	go test -tags limits -count=1 -v ./test/limits            less than three minutes
//	go test -tags limits -count=1 -v ./test/limits -long      what the figures are from
//
// Every figure is the emulator's: when requests arrived, and how it answered.
package limits
