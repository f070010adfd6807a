package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// ArchivePages reads which tasks of a queue are archived, a page in each round trip.
type ArchivePages struct {
	rdb     redis.UniversalClient
	queue   string
	by      redis.ZRangeBy
	last    redis.Z
	seen    map[any]struct{} // of the time of last
	changes int
}

// ArchivePages returns pages of the tasks that were archived from since to until, both included to the
// second, the oldest first. A zero since is the beginning.
func (s *Store) ArchivePages(queue string, since, until time.Time) *ArchivePages {
	from := "-inf"
	if !since.IsZero() {
		from = strconv.FormatInt(since.Unix(), 10)
	}
	by := redis.ZRangeBy{Min: from, Max: strconv.FormatInt(until.Unix(), 10), Count: archivePage}
	return &ArchivePages{rdb: s.rdb, queue: queue, by: by, seen: make(map[any]struct{})}
}

// Next returns the ids of the next page, which may be none, and whether there may be more. One round trip.
func (p *ArchivePages) Next(ctx context.Context) (ids []string, more bool, err error) {
	page, err := p.rdb.ZRangeByScoreWithScores(ctx, ArchivedKey(p.queue), &p.by).Result()
	if err != nil {
		return nil, false, fmt.Errorf("queue: list the archive of %s: %w", p.queue, err)
	}
	if p.by.Offset > 0 && (len(page) == 0 || page[0] != p.last) { // the archive has changed before it
		p.by.Offset = 0
		if p.changes++; p.changes == 3 {
			p.by.Count = 0 // it goes on changing: the rest is read at once
		}
		return nil, true, nil
	}
	for _, z := range page {
		if z.Score != p.last.Score {
			clear(p.seen)
		}
		p.last = z
		if _, again := p.seen[z.Member]; !again {
			p.seen[z.Member] = struct{}{}
			id, _ := z.Member.(string)
			ids = append(ids, id)
		}
	}
	if p.by.Count == 0 || len(page) < archivePage {
		return ids, false, nil
	}
	// The next page begins with the last one of this page: many may have been archived at the same time.
	first := slices.IndexFunc(page, func(z redis.Z) bool { return z.Score == p.last.Score })
	offset := int64(len(page) - 1 - first)
	if first == 0 {
		offset += p.by.Offset
	}
	p.by.Min, p.by.Offset = strconv.FormatFloat(p.last.Score, 'f', -1, 64), offset
	return ids, true, nil
}

// archivePage is how many ids of the archive are read at a time: Redis serves nobody else while it reads them, for 70 ms
// where it reads a million at once. Where a million were archived in one second, a page takes up to 30 ms.
const archivePage = 5000

// recordsBytes is how much Records reads at a time, so that it comes within seconds also on a slow link: a payload may have 256 KiB.
const recordsBytes = 1 << 20

// Records returns the tasks of a queue with these ids, in their order, as many of them as fit in a round trip: one at least.
// Nil is one that is not there, or cannot be decoded.
func (s *Store) Records(ctx context.Context, queue string, ids []string) ([]*Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	c := call{args: []any{recordsBytes}}
	for _, id := range ids {
		c.keys, c.args = append(c.keys, TaskKey(queue, id)), append(c.args, id)
	}
	replies, err := runOne(ctx, s.rdb, recordsScript, c).Slice()
	if err != nil {
		return nil, fmt.Errorf("queue: read tasks of %s: %w", queue, err)
	}
	if len(replies) == 0 || len(replies) > len(ids) {
		return nil, errReply
	}
	records := make([]*Record, len(replies))
	for i, reply := range replies {
		if r, err := newRecord(reply); err == nil {
			records[i] = r
		}
	}
	return records, nil
}

// Replay runs archived tasks again, in their order, in one round trip: under the same id, with all attempts that a
// task may have, behind the tasks that are in their lane now; one that stopped its lane is the first of it again.
// It tells of each whether it was archived and runs now: repeated, it runs nothing twice. Where rdb repeats it because
// an answer was lost, what the first time ran is told as such.
func (s *Store) Replay(ctx context.Context, queue string, ids []string) ([]bool, error) {
	calls := make([]call, len(ids))
	name := uuid.NewString()
	for i, id := range ids {
		calls[i] = call{keys: []string{TaskKey(queue, id)}, args: []any{Prefix(queue), ownPrefix(queue), id, name + ":" + strconv.Itoa(i)}}
	}
	replayed := make([]bool, len(ids))
	if len(ids) == 0 {
		return replayed, nil
	}
	for i, result := range runAll(ctx, s.rdb, replayScript, calls, around{}) {
		n, err := result.Int()
		if err != nil {
			return replayed, fmt.Errorf("queue: replay task %s: %w", ids[i], err)
		}
		replayed[i] = n == 1
	}
	return replayed, nil
}

// Remove deletes a task, in whichever queue it is, if it is in one of the given states, which must not
// have Active: a worker has it. The next task of its lane runs. It returns the state that the task was in; nothing was deleted
// if that is none of those. Without a task it returns [ErrNotFound]. Where rdb repeats it because an answer was lost, the
// answer is that of the first time.
func (s *Store) Remove(ctx context.Context, id string, in ...State) (State, error) {
	if slices.Contains(in, Active) {
		return "", errors.New("queue: a task that a worker has cannot be removed")
	}
	name := uuid.NewString()
	for _, q := range Names {
		args := []any{Prefix(q), ownPrefix(q), id, name}
		for _, state := range in {
			args = append(args, string(state))
		}
		was, err := runOne(ctx, s.rdb, removeScript, call{keys: []string{TaskKey(q, id)}, args: args}).Text()
		if err != nil {
			return "", fmt.Errorf("queue: remove task %s: %w", id, err)
		}
		if was != "" {
			return State(was), nil
		}
	}
	return "", ErrNotFound
}
