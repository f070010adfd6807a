// Package faults breaks layerq in every way that we could think of, and balances
// the books afterwards: each task that was accepted took effect once, or lies in
// the archive with a reason. Redis, the workers, the command line and the emulator
// are processes of their own, and die by kill -9.
//
//	go test -tags faults ./test/faults     three minutes
//	make faults                            at least 10,000 tasks a row
//
// It needs Linux and redis-server; a full disk can be had by root alone.
//
// # What repeats
//
// Each run prints its seed. FAULTS_SEED makes the same choices again: which worker
// dies when, what is enqueued, which answer is wrong. What the scheduler of the
// machine does with them differs all the same. With several, commas between them, each row runs once with each.
// FAULTS_TASKS is how many tasks a row has, FAULTS_ROW the name of the only row to run, -parallel how many run
// at a time.
//
// # The tables
//
// The long form runs bare asynq beside most rows, once, with the first seed. It fails no row: what becomes of its tasks is in the table.
//
// With -update both tables of docs/reliability.md are written anew, from this run alone: a row that failed,
// or that was not run, is there as such.
package faults
