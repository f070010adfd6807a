// Package failpoint lets the fault suite end a worker at a given step of a task,
// and switch mechanisms off, to see that they are needed. Both need the build tag
// "faults" and Linux; without them every function here is empty, and the compiler leaves
// nothing of its calls.
//
// # In a worker built with the tag
//
// The environment variable FAULTS_FAILPOINT holds rules, with commas between them:
//
//	after-call:kill:3            SIGKILL itself when the point is reached the third time
//	before-call:stop:1           SIGSTOP itself instead
//	before-call:kill:has=poison  whenever the task's payload contains "poison"
//
// FAULTS_WITHOUT holds the names of the mechanisms to leave out, with commas
// between them: marker,fence.
package failpoint

// A Point is a step of a task.
type Point string

// The points, in the order in which a task comes by.
const (
	// BeforeCall is before the effect is performed, when the task was taken.
	BeforeCall Point = "before-call"
	// DuringCall is a moment after the request to Layer was allowed to leave: see [Soon].
	DuringCall Point = "during-call"
	// AfterCall is after the last answer, before anything about it is recorded.
	AfterCall Point = "after-call"
	// AfterAck is after the task was recorded and moved on, which is one script, and
	// before the worker makes use of its answer.
	AfterAck Point = "after-ack"
)

// A Mechanism is what a promise leans on.
type Mechanism string

// The mechanisms that can be left out.
const (
	// Marker recognises a task that is delivered again although it was done.
	Marker Mechanism = "marker"
	// Dedupe sends the task's UUID with its calls.
	Dedupe Mechanism = "dedupe"
	// Fence keeps a worker from going on with a task that is no longer its own.
	Fence Mechanism = "fence"
	// Patience repeats what Redis did not answer.
	Patience Mechanism = "patience"
	// Poison gives up tasks that keep killing their workers.
	Poison Mechanism = "poison"
	// Recovery gives the tasks of a worker that died to others: leases, and the look for those that ended.
	Recovery Mechanism = "recovery"
	// HandBack gives back the tasks of a worker that ends, which would wait for the end of their leases.
	HandBack Mechanism = "handback"
	// DeadLetters puts back what asynq's tools throw out of the archive.
	DeadLetters Mechanism = "deadletters"
	// Crashes counts what kills a worker apart from the attempts of a task.
	Crashes Mechanism = "crashes"
	// Repeats reads the answer to a call that is made again as that to a repeated one.
	Repeats Mechanism = "repeats"
)
