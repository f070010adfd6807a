// Package limits proves what docs/limits.md, docs/holds.md and docs/lanes.md promise with real processes: workers, a
// redis-server, the emulator with a strict window, and a network with jitter
// between them; outages, and conversations whose messages keep their order. It runs with the tag limits and needs a redis-server:
//
//	go test -tags limits -count=1 -v ./test/limits            less than two minutes, fleets beside each other
//	go test -tags limits -count=1 -v ./test/limits -long      half an hour, one at a time: what the figures are from
//
// Every figure is the emulator's: when requests arrived, and how it answered.
package limits
