// Package rig is what the suites with real processes run on: a redis-server, the
// emulator, workers, and proxies between them. Each ends with its test, whatever
// becomes of that, and what it wrote last is shown if the test fails.
//
// It needs Linux and redis-server.
package rig
