package tasks

import (
	"time"

	"github.com/google/uuid"
)

// Option says something about one enqueued task: which it is, where it waits
// and when it may run. Options that contradict each other are refused.
type Option func(*settings)

// settings is what the options of one task say. Nil means not said.
type settings struct {
	key     *string
	id      *uuid.UUID
	queue   *string
	in      *time.Duration
	at      *time.Time
	expires *time.Time

	lane      *string
	unordered bool
	stopLane  bool
}

// Key names the task by what it means to the application, such as
// "order-1234-shipped": its dedupe UUID is [KeyID] of the task type and this
// key, so enqueueing the same type with the same key again, by whomever, is
// the same task. Between 1 and 1,024 bytes of UTF-8 without NUL. Excludes [ID].
func Key(key string) Option { return func(s *settings) { s.key = &key } }

// ID sets the dedupe UUID itself. Without it and without [Key] the UUID is a
// random one. Excludes [Key]; not the zero UUID.
func ID(id uuid.UUID) Option { return func(s *settings) { s.id = &id } }

// Queue is where the task waits: "critical", "default" (the default) or "bulk".
func Queue(name string) Option { return func(s *settings) { s.queue = &name } }

// In lets the task run after a delay at the earliest, rounded up to the next
// full second of the clock. Zero is at once; a negative delay is refused.
// Excludes [At].
func In(delay time.Duration) Option { return func(s *settings) { s.in = &delay } }

// At lets the task run at a time at the earliest, rounded up to a full second.
// A time that has passed is at once, so that a late producer needs no case of
// its own. Excludes [In].
func At(t time.Time) Option { return func(s *settings) { s.at = &t } }

// Expires is when the task is no longer worth executing: from then on a worker
// archives it without a call. It must lie in the future, and a second or more
// behind [In] or [At].
func Expires(t time.Time) Option { return func(s *settings) { s.expires = &t } }

// Lane puts the task into a lane of this name, in the place of its own: the tasks of a lane take effect one
// after the other, in the order in which they were enqueued. Between 1 and 256 bytes of UTF-8 without NUL.
// Excludes [Unordered].
//
// Without it, tasks that change the same thing share a lane, see [LaneOf]. Order holds within a queue: what
// is enqueued in "critical" does not wait for what is in "default". A task that is enqueued for later joins its
// lane when it is due.
func Lane(name string) Option { return func(s *settings) { s.lane = &name } }

// Unordered lets the task run without regard to others of its lane, beside them and before them. Excludes [Lane]
// and [StopLaneOnFailure].
func Unordered() Option { return func(s *settings) { s.unordered = true } }

// StopLaneOnFailure lets no later task of the lane run if this one is archived, until it has been replayed with
// success, or deleted. Without it the next one runs. The task must have a lane.
func StopLaneOnFailure() Option { return func(s *settings) { s.stopLane = true } }
