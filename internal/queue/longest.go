package queue

import (
	"context"
	_ "embed"
	"fmt"
)

//go:embed longest.lua
var longestLua string

var longestScript = newScript(prefixes + laneLua + longestLua)

// Longest is a lane in which tasks wait for each other.
type Longest struct {
	Queue, Name string
	Waiting     int    // tasks behind the first
	Head, State string // the first task and its state, "" if it was deleted
}

const (
	// lanesAtOnce is how many lanes Redis looks at before others get their turn: about a millisecond.
	lanesAtOnce = 1000
	// looksForLongest is how often it does so for one queue.
	looksForLongest = 200
)

// LongestLane returns the lane of a queue with the most tasks that wait, nil if none does. Of a queue with more than
// about 200,000 lanes it is the longest of so many. What changes meanwhile may be missed.
func (s *Store) LongestLane(ctx context.Context, queue string) (*Longest, error) {
	var longest *Longest
	cursor := "0"
	for range looksForLongest {
		reply, err := runOne(ctx, s.rdb, longestScript, call{
			keys: []string{HeadsKey(queue)}, args: []any{Prefix(queue), ownPrefix(queue), cursor, lanesAtOnce},
		}).Slice()
		if err == nil && len(reply) != 5 {
			err = errReply
		}
		if err != nil {
			return nil, fmt.Errorf("queue: longest lane of %s: %w", queue, err)
		}
		name, _ := reply[1].(string)
		head, _ := reply[3].(string)
		state, _ := reply[4].(string)
		if behind := number(reply[2]); behind > 0 && (longest == nil || behind > longest.Waiting) {
			longest = &Longest{Queue: queue, Name: name, Waiting: behind, Head: head, State: state}
		}
		if cursor, _ = reply[0].(string); cursor == "0" {
			break
		}
	}
	return longest, nil
}
