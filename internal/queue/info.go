package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Info is what one queue holds.
type Info struct {
	Queue string
	// How many tasks there are in each state.
	Pending, Waiting, Scheduled, Active, Retry, Archived, Completed int
	// Latency is how long the task that is next has been pending; 0 if there is
	// none, or if asynq did not note since when (after a run by hand, say).
	Latency time.Duration
	// Paused tells whether somebody paused it by hand, who has to resume it; it may be held beside that.
	Paused bool
	// Held is a hold, or another program's pause that ends by itself; nil if there is neither.
	Held *Hold
}

// Hold is a pause with an end.
type Hold struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
	// Code is the reason in one word, without what Layer said.
	Code string `json:"code,omitempty"`
}

// Queues counts all of [Names], in that order, in one round trip. A queue that
// was never used is all zeros.
func (s *Store) Queues(ctx context.Context) ([]Info, error) {
	calls := make([]call, len(Names))
	for i, q := range Names {
		calls[i] = call{keys: []string{PendingKey(q)}, args: []any{Prefix(q), ownPrefix(q)}}
	}
	infos := make([]Info, len(Names))
	now := time.Now()
	for i, result := range runAll(ctx, s.rdb, statsScript, calls, around{}) {
		reply, err := result.Slice()
		if err == nil {
			infos[i], err = newInfo(Names[i], reply, now)
		}
		if err != nil {
			return nil, fmt.Errorf("queue: count queue %s: %w", Names[i], err)
		}
	}
	return infos, nil
}

// newInfo reads the array that stats.lua returns.
func newInfo(name string, reply []any, now time.Time) (Info, error) {
	if len(reply) != 12 {
		return Info{}, errReply
	}
	info := Info{
		Queue: name, Pending: number(reply[0]), Active: number(reply[1]), Retry: number(reply[3]),
		Archived: number(reply[4]), Completed: number(reply[5]), Waiting: number(reply[6]),
	}
	info.Scheduled = number(reply[2]) - info.Waiting
	held, pause := number(reply[8]), number(reply[9])
	if held >= 0 {
		info.Held = newHold(reply[7], now, held)
	} else if pause >= 0 { // another program's pause that ends by itself
		info.Held = &Hold{Until: now.Add(time.Duration(pause) * time.Millisecond)}
	}
	info.Paused = pause == -1
	since, _ := reply[10].(string)
	redisNow, _ := reply[11].(string) // the clocks of those who ask differ
	if at := unixNano(since); !at.IsZero() {
		info.Latency = max(0, unixNano(redisNow).Sub(at))
	}
	return info, nil
}

// newHold reads what a hold says of itself. Its end is that of the key where it says none.
func newHold(text any, now time.Time, left int) *Hold {
	var h Hold
	s, _ := text.(string)
	if json.Unmarshal([]byte(s), &h) != nil || h.Until.IsZero() {
		h.Until = now.Add(time.Duration(left) * time.Millisecond)
	}
	return &h
}
