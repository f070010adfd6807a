// Package faults breaks layerq in every way that we could think of, and balances
// the books afterwards: each task that was accepted took effect once, or lies in
// the archive with a reason. Redis, the workers, the command line and the emulator
// are processes of their own, and die by kill -9.
//
//	go test -tags faults ./test/faults/...     some minutes
//	make faults                                at least 10,000 tasks a row
//
// It needs Linux and redis-server; a full disk can be had by root alone.
//
// # What repeats
//
// Each run prints its seed. FAULTS_SEED makes the same choices again: which worker
// dies when, what is enqueued, which answer is wrong. What the scheduler of the
// machine does with them differs all the same. FAULTS_TASKS is how many
// tasks a row has.
//
// # The table
//
// With -update the rows that ran are written into docs/reliability.md.
package faults
