package queue

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

//go:embed pause.lua
var pauseLua string

var pauseScript = newScript(pauseLua)

// heldMark is in the place of asynq's pause while a queue is held, so that asynqmon shows
// it as paused. asynq itself puts a time there, and only looks whether there is something.
const heldMark = "held by layerq"

// Pause stops a queue until [Store.Resume], for all workers, also while it is held.
// was tells that somebody had paused it before. Repeatable.
func (s *Store) Pause(ctx context.Context, queue string) (was bool, err error) {
	was, _, err = s.pause(ctx, queue, "pause")
	return was, err
}

// Resume ends a pause by hand, [Store.Pause]'s or asynqmon's; was tells that there was one. It does not
// end a hold: if there is one, it is returned, and the queue goes on when that ends. Repeatable.
func (s *Store) Resume(ctx context.Context, queue string) (was bool, held *Hold, err error) {
	return s.pause(ctx, queue, "resume")
}

// rememberMark is longer than what a worker sent is under way: it gives up after seconds, but what the network
// has already comes when it comes. It is also the longest for which a number that began anew is refused.
const rememberMark = 2 * time.Minute

// Hold marks queues as held for a time: no worker takes tasks of them meanwhile but
// to probe. A pause by hand stays, also when the hold is over. Repeatable: of all calls of Hold and
// [Store.Release] that with the highest number nth counts, in whatever order they come.
func (s *Store) Hold(ctx context.Context, queues []string, h Hold, lasts time.Duration, nth int64) error {
	h.Until = h.Until.UTC().Truncate(time.Millisecond)
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("queue: hold: %w", err)
	}
	return s.mark(ctx, queues, "hold", string(text), lasts, nth)
}

// Release takes the mark of [Store.Hold] away. Repeatable.
func (s *Store) Release(ctx context.Context, queues []string, nth int64) error {
	return s.mark(ctx, queues, "release", "", 0, nth)
}

func (s *Store) mark(ctx context.Context, queues []string, what, hold string, lasts time.Duration, nth int64) error {
	calls := make([]call, len(queues))
	for i, q := range queues {
		calls[i] = pauseCall(q, what, hold, lasts, nth)
	}
	for i, result := range runAll(ctx, s.rdb, pauseScript, calls, around{}) {
		if err := result.Err(); err != nil {
			return fmt.Errorf("queue: %s queue %s: %w", what, queues[i], err)
		}
	}
	return nil
}

func (s *Store) pause(ctx context.Context, queue, what string) (was bool, held *Hold, err error) {
	reply, err := runOne(ctx, s.rdb, pauseScript, pauseCall(queue, what, "", 0, 0)).Slice()
	if err == nil && len(reply) != 3 {
		err = errReply
	}
	if err != nil {
		return false, nil, fmt.Errorf("queue: %s queue %s: %w", what, queue, err)
	}
	before, _ := reply[0].(int64)
	if left, _ := reply[1].(int64); left > 0 {
		held = &Hold{}
		text, _ := reply[2].(string)
		if json.Unmarshal([]byte(text), held) != nil || held.Until.IsZero() {
			held.Until = time.Now().Add(time.Duration(left) * time.Millisecond)
		}
	}
	return before == 1, held, nil
}

func pauseCall(queue, what, hold string, lasts time.Duration, nth int64) call {
	return call{
		keys: []string{PausedKey(queue), HeldKey(queue), markKey(queue)},
		args: []any{what, strconv.FormatInt(time.Now().Unix(), 10), heldMark, hold, lasts.Milliseconds(), nth, rememberMark.Milliseconds()},
	}
}
