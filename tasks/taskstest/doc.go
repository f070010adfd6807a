// Package taskstest is for the tests of applications that enqueue tasks: it
// records what they enqueue, and executes it against an emulated Layer.
//
// # What was enqueued
//
// [NewRecorder] has a [tasks.Client] of its own, on a Redis that lives in the
// test's memory. Give it to the code under test, then look at what it did:
//
//	rec := taskstest.NewRecorder(t)
//	shop.Ship(ctx, rec.Client(), order)
//	sent := taskstest.RequireEnqueued[tasks.SendMessage](t, rec)
//
// The tasks were checked, encoded and stored as for a worker, and are read from
// there: keys, duplicates, queues and delays are the real thing.
//
// # What it does at Layer
//
// [Recorder.Perform] executes what was enqueued, once, in its order, in the
// place of a worker:
//
//	srv := layertest.NewServer(t)
//	rec.Perform(t, srv.Client(t))
//	srv.WantMessages(t, conversation, "Your order is on its way.")
//
// [Recorder.Start] does so while the test runs, for code that waits for the
// result with [tasks.Client.Wait].
//
// There are no attempts but the first: a task that fails is archived at once.
// How workers repeat is theirs to test.
package taskstest
