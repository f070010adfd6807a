package queue

import (
	"context"
	"fmt"
	"slices"
)

// aggregating is the state of tasks that other programs have asynq aggregate.
const aggregating = "aggregating"

// CodeByHand is the [FieldCode] of tasks that somebody gave up by hand.
const CodeByHand = "by_hand"

// byHand is their error, unless an earlier execution left one.
const byHand = "archived by hand"

// MayArchive tells whether a task in this state can be given up by hand: no worker has it, and it is not done.
func (s State) MayArchive() bool {
	return s == Pending || s == Scheduled || s == Retry || s == aggregating
}

// Archive gives up tasks of a queue that are in a state that [State.MayArchive]: they stay in the archive until somebody
// decides, as those do that a worker gave up, with [CodeByHand]. The next task of a lane runs, unless the lane is to stop. It
// returns of each the state that it was in; "" where there is no such task.
func (s *Store) Archive(ctx context.Context, queue string, ids []string) ([]State, error) {
	states := make([]State, 0, len(ids))
	for page := range slices.Chunk(ids, archiveAtOnce) {
		were, err := s.archive(ctx, queue, "", page)
		if err != nil {
			return nil, fmt.Errorf("queue: archive tasks of %s: %w", queue, err)
		}
		states = append(states, were...)
	}
	return states, nil
}

// ArchiveAll does so with all tasks of a state, which are those that are pending, scheduled (or wait for their turn), or in retry when
// it is called. It returns how many it archived, also with an error; repeated, it goes on.
func (s *Store) ArchiveAll(ctx context.Context, queue string, state State) (int, error) {
	return s.archiveAll(ctx, queue, Prefix(queue)+string(state), string(state))
}

// ArchiveGroup does so with the tasks of one of asynq's aggregation groups.
func (s *Store) ArchiveGroup(ctx context.Context, queue, group string) (int, error) {
	return s.archiveAll(ctx, queue, Prefix(queue)+"g:"+group, aggregating)
}

// archiveAtOnce is how many tasks a script archives: Redis serves nobody else meanwhile.
const archiveAtOnce = 500

func (s *Store) archiveAll(ctx context.Context, queue, key, state string) (archived int, err error) {
	fail := func(err error) (int, error) {
		return archived, fmt.Errorf("queue: archive what is %s in %s: %w", state, queue, err)
	}
	count := s.rdb.ZCard
	if state == string(Pending) {
		count = s.rdb.LLen
	}
	left, err := count(ctx, key).Result() // not what comes meanwhile
	if err != nil {
		return fail(err)
	}
	skipped := int64(0)
	for left > 0 {
		n := min(left, archiveAtOnce)
		var ids []string
		if state == string(Pending) {
			ids, err = s.rdb.LRange(ctx, key, -skipped-n, -skipped-1).Result()
			slices.Reverse(ids) // the oldest first
		} else {
			ids, err = s.rdb.ZRange(ctx, key, skipped, skipped+n-1).Result()
		}
		if err != nil {
			return fail(err)
		}
		if len(ids) == 0 {
			break
		}
		states, err := s.archive(ctx, queue, state, ids)
		if err != nil {
			return fail(err)
		}
		done := 0
		for _, was := range states {
			if string(was) == state {
				done++
			}
		}
		archived += done
		skipped += int64(len(ids) - done) // what is not as its state says is for the workers
		left -= int64(len(ids))
	}
	return archived, nil
}

// archive runs the script; an empty state is any that MayArchive.
func (s *Store) archive(ctx context.Context, queue, state string, ids []string) ([]State, error) {
	args := make([]any, 0, 5+len(ids))
	args = append(args, Prefix(queue), ownPrefix(queue), state, appendString(nil, fieldErrorMsg, byHand), CodeByHand)
	for _, id := range ids {
		args = append(args, id)
	}
	reply, err := runOne(ctx, s.rdb, archiveScript, call{keys: []string{ArchivedKey(queue)}, args: args}).StringSlice()
	if err == nil && len(reply) != len(ids) {
		err = errReply
	}
	if err != nil {
		return nil, err
	}
	states := make([]State, len(reply))
	for i, was := range reply {
		states[i] = State(was)
	}
	return states, nil
}
