package tasks

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxLane is the most bytes of a lane's name that a caller gives.
const maxLane = 256

// laned is a task whose effect must not be overtaken by that of an earlier one on
// the same thing.
type laned interface {
	// lane returns the kind of thing and which it is.
	lane() (kind, of string)
}

// LaneOf returns the name of the lane that a task is put into without [Lane] and [Unordered]: tasks
// with the same name take effect in the order in which they were enqueued. Empty for a task without one.
//
//   - messages and all that changes a conversation: the conversation
//   - blocks, unblocks and updates of a block list: its owner
//   - identity, badge and suspension: the user
//   - announcements, notifications and the creation of conversations: none
func LaneOf(t Task) string {
	l, ok := t.(laned)
	if !ok {
		return ""
	}
	kind, of := l.lane()
	// A user id may have any length, and the name of a lane is part of a key in Redis.
	if len(of) > maxLane {
		sum := sha256.Sum256([]byte(of))
		of = "sha256-" + hex.EncodeToString(sum[:])
	}
	return kind + ":" + of
}
