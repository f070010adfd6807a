package queue

import "time"

// What a lane is, and how it moves, is in lane.lua.

// parkedAt is the time of tasks that wait for their turn in a lane: scheduled ones
// to asynq. The same time is in lane.lua.
var parkedAt = time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)

// TooLate reports whether no task can be scheduled for t: it could not be told from those that wait for
// their turn.
func TooLate(t time.Time) bool { return !t.Before(parkedAt.Add(-time.Second)) }

// ownPrefix is what our own keys of a queue begin with; the hash tag puts them
// beside asynq's.
func ownPrefix(queue string) string { return "layerq:{" + queue + "}:" }

// HeadsKey is the hash of the lanes that are not empty: name to the id of the head.
func HeadsKey(queue string) string { return ownPrefix(queue) + "heads" }

// LaneKey is the list of those of a lane behind its head, as id:seat, the next one on the left.
func LaneKey(queue, lane string) string { return ownPrefix(queue) + "lane:" + lane }

// LaterKey is the sorted set of those that join a lane later, as seat:id, by the second at which they do.
func LaterKey(queue, lane string) string { return ownPrefix(queue) + "later:" + lane }

// DeadKey is the sorted set that notes what is in the archive, so that what others
// trim away is put back.
func DeadKey(queue string) string { return ownPrefix(queue) + "dead" }

// HeldKey holds back the tasks of a queue while it exists: the JSON of a [Hold].
func HeldKey(queue string) string { return ownPrefix(queue) + "held" }

// markKey is the number of the last [Store.Hold] or [Store.Release] of a queue, for a while.
func markKey(queue string) string { return ownPrefix(queue) + "mark" }

// LookKey is the hash that says when somebody last looked for what went wrong in a queue.
func LookKey(queue string) string { return ownPrefix(queue) + "look" }

// SuspectKey is the id of the task that runs alone among those that crashed again and again.
func SuspectKey(queue string) string { return ownPrefix(queue) + "suspect" }

// SuspectsKey is the sorted set of those that wait for it, by since when in Unix nanoseconds.
func SuspectsKey(queue string) string { return ownPrefix(queue) + "suspects" }
