package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/layerq/layerq/internal/failpoint"
)

const (
	// LeaseTime is how long a task is a worker's without a sign of life. Then others
	// run it again.
	LeaseTime = 30 * time.Second
	// Suspect is from how many crashes in a row on a task runs alone among its kind.
	Suspect = 2
)

// Found is what [Store.Take] found.
type Found string

// What there is to be found.
const (
	FoundTask Found = "task"
	FoundIdle Found = "idle"
	// FoundPaused is a queue that was stopped by hand, or by another program until a time.
	FoundPaused Found = "paused"
	// FoundHeld is a queue that layerq holds until a time.
	FoundHeld Found = "held"
)

// Taken is a task that was taken, or why there is none.
type Taken struct {
	Found Found
	// Dropped lists ids that had no task and were removed.
	Dropped []string
	// Left is how long until the next task is due, or somebody is to look again, or the pause or hold ends; negative
	// if there is no such time, or the queue has a task.
	Left time.Duration
	// Now is Redis' clock.
	Now time.Time

	ID string
	// Message is as it was found: see [DecodeMessage].
	Message string
	// Result is what an earlier execution left behind, nil if nothing: the task was done already.
	Result []byte
	// Attempts counts the executions that Layer answered, Failures those that used up one
	// of the attempts the task may have.
	Attempts, Failures int
	// Retries counts the executions that failed and were to be repeated, see [FieldRetries].
	Retries int
	// Token is of this delivery alone: the count goes back when a replica takes over, and begins anew when an id
	// is used again. See [Taken.Delivery].
	Token string
	// Deliveries counts how often the task was taken, this time included: see [FieldDeliveries].
	Deliveries int
	// Crashes counts the deliveries in a row whose worker died or lost Redis.
	Crashes int
	// Lane is empty for a task without one.
	Lane string
}

// Take takes the next task of a queue for [LeaseTime]. Meanwhile it makes due
// tasks pending, those of dead workers, and heads of lanes that lost theirs. With
// probe, a hold does not count.
//
// Repeated because its answer was lost, it takes another task; the first one is
// taken again by somebody when its lease has ended. What Redis carries out after the deadline of ctx takes
// nothing, once a first answer has told of its clock.
func (s *Store) Take(ctx context.Context, queue string, probe bool) (Taken, error) {
	flag := ""
	if probe {
		flag = "probe"
	}
	return s.take(ctx, queue, flag)
}

// TakeAny is Take with probe, but takes any of the tasks that wait: those that have waited longest may be
// what fails.
func (s *Store) TakeAny(ctx context.Context, queue string) (Taken, error) {
	return s.take(ctx, queue, "any")
}

// Look does what Take does for all, and takes nothing: it makes due tasks pending, and those of dead workers, and looks
// after the lanes. Somebody must look every few seconds, also while all workers are busy or kept away.
func (s *Store) Look(ctx context.Context, queue string) (Taken, error) {
	return s.take(ctx, queue, "look")
}

func (s *Store) take(ctx context.Context, queue, flag string) (Taken, error) {
	reply, err := runOne(ctx, s.rdb, takeScript.now(), call{
		keys: []string{PendingKey(queue)},
		args: []any{Prefix(queue), ownPrefix(queue), int(LeaseTime / time.Second), flag, Suspect, s.notAfter(ctx, queue)},
	}).Slice()
	if err != nil {
		return Taken{}, err
	}
	taken, err := newTaken(reply)
	if err != nil {
		return Taken{}, fmt.Errorf("queue: take from %s: %w", queue, err)
	}
	s.clocks.Store(queue, clock{taken.Now, time.Now()})
	return taken, nil
}

// A clock is what Redis' clock said, and when. In a Cluster each queue's may be another's.
type clock struct{ redis, here time.Time }

// notAfter is the deadline of ctx by Redis' clock, as the script takes it.
func (s *Store) notAfter(ctx context.Context, queue string) any {
	deadline, ends := ctx.Deadline()
	last, known := s.clocks.Load(queue)
	c, _ := last.(clock)
	if !ends || !known {
		return ""
	}
	return c.redis.Add(deadline.Sub(c.here)).UnixMilli()
}

// newTaken reads the array that take.lua returns.
func newTaken(fields []any) (Taken, error) {
	if len(fields) < 4 {
		return Taken{}, errReply
	}
	name, _ := fields[0].(string)
	dropped, ok := fields[1].([]any)
	now, isTime := fields[2].(int64)
	if !ok || !isTime {
		return Taken{}, errReply
	}
	t := Taken{Found: Found(name), Now: time.UnixMilli(now), Left: -1}
	for _, id := range dropped {
		s, _ := id.(string)
		t.Dropped = append(t.Dropped, s)
	}
	switch t.Found {
	case FoundIdle, FoundPaused, FoundHeld:
		ms, ok := fields[3].(int64)
		if !ok {
			return Taken{}, errReply
		}
		t.Left = time.Duration(ms) * time.Millisecond
		return t, nil
	case FoundTask:
		if len(fields) != 13 {
			return Taken{}, errReply
		}
		t.ID, _ = fields[3].(string)
		t.Message, _ = fields[4].(string)
		if result, ok := fields[5].(string); ok {
			t.Result = []byte(result)
		}
		t.Attempts, t.Failures = number(fields[6]), number(fields[7])
		t.Deliveries, t.Crashes = number(fields[8]), number(fields[9])
		t.Lane, _ = fields[10].(string)
		t.Retries = number(fields[11])
		t.Token, _ = fields[12].(string)
		return t, nil
	}
	return Taken{}, errors.Join(errReply, fmt.Errorf("found %q", name))
}

// number reads an integer of a script, or a field that a worker wrote. What is no number
// was not.
func number(field any) int {
	switch v := field.(type) {
	case int64:
		return int(v)
	case string:
		n, err := strconv.Atoi(v)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

// Delivery names one delivery of a task: the same task taken again is another.
type Delivery struct{ ID, Token string }

// Delivery names the delivery by which the task was taken.
func (t Taken) Delivery() Delivery { return Delivery{t.ID, t.Token} }

// Waits notes that a delivery waits before the first call of its execution, or that it does so no more: if its worker dies
// meanwhile, that is no crash of the task's. Of a delivery that is somebody else's by now nothing is noted. It may be repeated.
func (s *Store) Waits(ctx context.Context, queue string, d Delivery, waits bool) error {
	flag := ""
	if waits {
		flag = "1"
	}
	if err := runOne(ctx, s.rdb, waitsScript, call{keys: []string{TaskKey(queue, d.ID)}, args: []any{d.Token, flag}}).Err(); err != nil {
		return fmt.Errorf("queue: note that task %s waits: %w", d.ID, err)
	}
	return nil
}

// Extend renews the leases of deliveries: [LeaseTime] from now on. It returns the ids
// of those that are no longer the caller's: somebody else has them, or will.
func (s *Store) Extend(ctx context.Context, queue string, deliveries []Delivery) (lost []string, err error) {
	if failpoint.Without(failpoint.Recovery) {
		return nil, nil
	}
	args := make([]any, 3, 3+2*len(deliveries))
	args[0], args[1], args[2] = Prefix(queue), ownPrefix(queue), int(LeaseTime/time.Second)
	for _, d := range deliveries {
		args = append(args, d.ID, d.Token)
	}
	lost, err = runOne(ctx, s.rdb, extendScript, call{keys: []string{LeaseKey(queue)}, args: args}).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("queue: renew leases of %s: %w", queue, err)
	}
	return lost, nil
}
