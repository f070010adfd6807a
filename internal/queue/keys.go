package queue

// The queues, in order of importance. There are no others.
const (
	Critical = "critical"
	Default  = "default"
	Bulk     = "bulk"
)

// Names lists the queues, the most important first.
var Names = []string{Critical, Default, Bulk}

// Fields of a task's hash beside asynq's own msg, state and pending_since.
const (
	// FieldResult is what asynq's ResultWriter writes; for layerq the result of a
	// successful execution and, once it is there, the mark that there was one.
	FieldResult = "result"
	// FieldAttempts counts the executions that Layer answered, but for probes of a hold that failed.
	FieldAttempts = "attempts"
	// FieldDoneAt is when the result was written, see [FormatTime].
	FieldDoneAt = "done_at"
	// FieldFailures counts the executions that used up one of the attempts a task
	// may have: those that Layer answered, but for holds, and those that got no source.
	FieldFailures = "failures"
	// FieldRetries counts the executions that failed, so that the task runs again after a wait: the wait
	// grows with it. Holds, hand-backs and crashes are none.
	FieldRetries = "retries"
	// FieldCode says in one word what an archived task ended with: Layer's code, or why
	// it was not executed.
	FieldCode = "code"
	// FieldDeliveries counts how often the task was handed to a worker, but for those times when it came back
	// and certainly no call was made for it.
	FieldDeliveries = "deliveries"
	// FieldToken names the delivery under way, or the last one: see [Taken].
	FieldToken = "token"
)

// AllQueuesKey is asynq's set of queue names, which its Inspector and asynqmon go by.
const AllQueuesKey = "asynq:queues"

// Prefix is what every key of the queue begins with; its hash tag keeps a queue
// in one slot of a Redis Cluster.
func Prefix(queue string) string { return "asynq:{" + queue + "}:" }

// TaskKey is the hash of a task.
func TaskKey(queue, id string) string { return Prefix(queue) + "t:" + id }

// PendingKey is the list of the ids of tasks that can run: pushed on the left, popped on the right.
func PendingKey(queue string) string { return Prefix(queue) + "pending" }

// ActiveKey is the list of the ids of tasks in a worker's hands.
func ActiveKey(queue string) string { return Prefix(queue) + "active" }

// LeaseKey is the sorted set of active tasks by the time until which they are a worker's.
func LeaseKey(queue string) string { return Prefix(queue) + "lease" }

// ScheduledKey is the sorted set of tasks for later, by Unix seconds.
func ScheduledKey(queue string) string { return Prefix(queue) + "scheduled" }

// RetryKey is the sorted set of tasks that wait for their next attempt, by Unix seconds.
func RetryKey(queue string) string { return Prefix(queue) + "retry" }

// ArchivedKey is the sorted set of tasks that were given up, by the Unix seconds of that.
func ArchivedKey(queue string) string { return Prefix(queue) + "archived" }

// CompletedKey is the sorted set of finished tasks, by the Unix seconds at which they are forgotten.
func CompletedKey(queue string) string { return Prefix(queue) + "completed" }

// PausedKey stops the queue while it exists.
func PausedKey(queue string) string { return Prefix(queue) + "paused" }
