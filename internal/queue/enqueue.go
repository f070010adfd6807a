package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
)

// Entry is one task to enqueue.
type Entry struct {
	// Message must have ID, Type and one of [Names] as Queue, and no string in it
	// may be invalid UTF-8.
	Message *Message
	// ProcessAt is the earliest time to run the task; zero or past means now. asynq
	// counts whole seconds: the task runs up to one second later, never earlier.
	ProcessAt time.Time
	// Lane is the lane that the task joins, when it is due; empty for none. The tasks of a lane
	// run one after the other, in the order in which they joined.
	Lane string
	// StopLane lets no later task of the lane run if this one is archived, until it is run again or deleted.
	StopLane bool
}

// Answer tells what became of one [Entry].
type Answer struct {
	// Existing is what was there already under the id, in any of the queues; nothing was enqueued then.
	Existing *Record
	// Waits says that earlier tasks of its lane are before the new one.
	Waits bool
	// Err is why the entry was not enqueued. Unless it is one of the entry itself,
	// the entry may have been enqueued all the same: enqueue it again.
	Err error
}

// republish is how often a Store puts a queue's name again into [AllQueuesKey]:
// a queue that was deleted or flushed away becomes visible to asynq's Inspector
// and to asynqmon again within this time.
const republish = time.Minute

// Enqueue stores the entries, in their order, in one round trip, and answers
// for each of them. The error is that of the first entry that has one.
//
// An id is one task: an entry whose id is there already, in whichever queue
// and state, changes nothing and is answered with what is there. That holds
// also for two producers at once. In a Redis Cluster, where a script sees one queue only,
// the other queues are asked before, in a round trip of its own: there two producers that enqueue
// the same id in different queues at the same moment can both succeed.
//
// What comes after an entry of the same lane that Redis refused, or did not take, is not enqueued either: else it would be
// before it when both are enqueued again.
//
// Enqueueing again what may have been enqueued is always safe. A message with [HeaderEnqueuedAt]
// is recognised when go-redis repeated the command because its reply was lost, and is answered as new,
// whatever a worker has done with the task since.
func (s *Store) Enqueue(ctx context.Context, entries []Entry) ([]Answer, error) {
	answers := make([]Answer, len(entries))
	batch := s.newBatch(entries, answers)
	if s.cluster {
		s.lookElsewhere(ctx, batch)
	}
	s.store(ctx, batch)
	for i := range answers {
		if answers[i].Err != nil {
			return answers, answers[i].Err
		}
	}
	return answers, nil
}

// item is an entry on its way into Redis.
type item struct {
	Entry
	msg     *Message
	encoded []byte
	answer  *Answer
	// again: the batch has the same id further up
	again bool
}

// newBatch checks and encodes the entries; those that are wrong get their answer.
func (s *Store) newBatch(entries []Entry, answers []Answer) []item {
	batch := make([]item, 0, len(entries))
	seen := make(map[string]struct{}, len(entries))
	for i, e := range entries {
		if err := e.Message.check(); err != nil {
			answers[i].Err = err
			continue
		}
		_, again := seen[e.Message.ID]
		seen[e.Message.ID] = struct{}{}
		batch = append(batch, item{e, e.Message, e.Message.Encode(), &answers[i], again})
	}
	return batch
}

// check tells what would make asynq stumble over the message later.
func (m *Message) check() error {
	switch {
	case m == nil:
		return errors.New("queue: no message to enqueue")
	case m.ID == "":
		return errors.New("queue: a task needs an id")
	case !slices.Contains(Names, m.Queue):
		return fmt.Errorf("queue: task %s: unknown queue %q", m.ID, m.Queue)
	case m.Type == "":
		return fmt.Errorf("queue: task %s: no type", m.ID)
	}
	texts := []string{m.ID, m.Type, m.ErrorMsg, m.UniqueKey, m.GroupKey}
	texts = slices.AppendSeq(texts, maps.Keys(m.Headers))
	texts = slices.AppendSeq(texts, maps.Values(m.Headers))
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return fmt.Errorf("queue: task %q: %w", m.ID, errNotUTF8)
		}
	}
	return nil
}

// lookElsewhere answers the items whose id is in another queue than theirs.
func (s *Store) lookElsewhere(ctx context.Context, batch []item) {
	var calls []call
	var asked []*item
	for i := range batch {
		for _, q := range Names {
			if it := &batch[i]; q != it.msg.Queue {
				calls = append(calls, call{keys: []string{TaskKey(q, it.msg.ID)}, args: []any{it.msg.ID}})
				asked = append(asked, it)
			}
		}
	}
	for i, result := range runAll(ctx, s.rdb, findScript, calls, around{}) {
		if reply, err := result.Result(); !errors.Is(err, redis.Nil) {
			asked[i].settle(reply, err)
		}
	}
}

// store sends the items that have no answer yet.
func (s *Store) store(ctx context.Context, batch []item) {
	now := time.Now()
	calls := make([]call, 0, len(batch))
	sent := make([]*item, 0, len(batch))
	queues := make(map[string]bool, len(Names))
	last := make(map[laneOf]*item)
	for i := range batch {
		it := &batch[i]
		if it.answer.Existing != nil {
			continue
		}
		lane := laneOf{it.msg.Queue, it.Lane}
		before := last[lane]
		if it.Lane != "" {
			last[lane] = it
		}
		if it.answer.Err == nil && before != nil && before.answer.Err != nil {
			it.answer.Err = fmt.Errorf("queue: enqueue task %s: %w", it.msg.ID, errBehind)
		}
		if it.answer.Err != nil {
			continue
		}
		calls = append(calls, s.call(it, before, now))
		sent = append(sent, it)
		queues[it.msg.Queue] = true
	}
	if len(calls) == 0 {
		return
	}
	due := s.unpublished(queues, now)
	var published *redis.IntCmd
	var copied *redis.Cmd
	var more around
	if len(due) > 0 {
		more.before = func(pipe redis.Pipeliner) { published = pipe.SAdd(ctx, AllQueuesKey, due...) }
	}
	if s.replicas > 0 {
		more.after = func(pipe redis.Pipeliner) { copied = s.waitForReplicas(ctx, pipe) }
	}
	results := runAll(ctx, s.rdb, enqueueScript, calls, more)
	// A failure is tried again with the next batch: a task runs without this, it is only not listed.
	if published != nil && published.Err() == nil {
		s.notePublished(due, now)
	}
	for i, result := range results {
		sent[i].settle(result.Result())
		if copied != nil && sent[i].answer.Err == nil {
			sent[i].answer.Err = s.replicated(copied)
		}
	}
}

type laneOf struct{ queue, name string }

// errBehind is the answer for an entry behind one of its lane that was not enqueued.
var errBehind = errors.New("not enqueued, as one before it in its lane was not")

// behind is what the script says of such an entry.
const behind = "BEHIND"

// call is the execution of the script for an item; before is the one before it in its lane, nil if there is none.
func (s *Store) call(it, before *item, now time.Time) call {
	id, q := it.msg.ID, it.msg.Queue
	keys := make([]string, 1, len(Names))
	keys[0] = TaskKey(q, id)
	var due any = ""
	channel, news := "", ""
	if it.ProcessAt.After(now) {
		at := NextSecond(it.ProcessAt).Unix()
		due = at
		if it.ProcessAt.Sub(now) < WakeWithin {
			channel, news = WakeChannel, EncodeWake(q, time.Unix(at, 0))
		}
	}
	if !s.cluster {
		for _, other := range Names {
			if other != q {
				keys = append(keys, TaskKey(other, id))
			}
		}
	}
	stop, previous := "", ""
	if it.StopLane {
		stop = "1"
	}
	if before != nil {
		previous = before.msg.ID
	}
	return call{keys: keys, args: []any{Prefix(q), ownPrefix(q), it.encoded, id, due, channel, news, it.Lane, stop, previous}}
}

// NextSecond returns t, or the full second behind it. It keeps the promise that a task does not run early. asynq writes whole
// seconds; given a fraction, the asynqmon binary (v0.7.2, with spf13/cast v1.5)
// shows an error instead of a page of scheduled tasks.
func NextSecond(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); !whole.Equal(t) {
		return whole.Add(time.Second)
	}
	return t
}

// settle turns what the script said into the item's answer.
func (it *item) settle(reply any, err error) {
	if redis.HasErrorPrefix(err, behind) {
		err = errBehind
	}
	if err != nil {
		it.answer.Err = fmt.Errorf("queue: enqueue task %s: %w", it.msg.ID, err)
		return
	}
	if stored, ok := reply.(int64); ok {
		it.answer.Waits = stored == 1
		return
	}
	there, err := newRecord(reply)
	if err != nil {
		it.answer.Err = fmt.Errorf("queue: enqueue task %s: the id is taken by something that is no task: %w", it.msg.ID, err)
		return
	}
	if !it.again && it.msg.sameEnqueue(there.Message) {
		it.answer.Waits = there.State == Waiting
		return // our own command, whose reply was lost
	}
	it.answer.Existing = there
}

// sameEnqueue tells whether there is what became of m itself, and not of a
// message like it: it was enqueued at the same nanosecond. What a worker writes into
// a message when it retries, archives or completes the task is not compared.
func (m *Message) sameEnqueue(there *Message) bool {
	at := m.Headers[HeaderEnqueuedAt]
	return at != "" && at == there.Headers[HeaderEnqueuedAt] && m.Queue == there.Queue && m.Type == there.Type && bytes.Equal(m.Payload, there.Payload)
}

// unpublished returns those of the queues whose name is to be published now.
func (s *Store) unpublished(queues map[string]bool, now time.Time) []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []any
	for _, q := range Names {
		if last, ok := s.published[q]; queues[q] && (!ok || now.Sub(last) >= republish) {
			due = append(due, q)
		}
	}
	return due
}

func (s *Store) notePublished(queues []any, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range queues {
		if name, ok := q.(string); ok {
			s.published[name] = now
		}
	}
}
