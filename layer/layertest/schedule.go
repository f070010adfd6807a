package layertest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
)

// The bounds of a message's delay, in seconds.
const (
	minDelay = 1.0
	maxDelay = 300.0
)

// scheduled is a message whose time has not come.
type scheduled struct {
	id     uuid.UUID
	conv   *conversation
	packed string
	at     time.Time
	made   time.Time
	done   bool // sent, or dropped
	timer  *time.Timer
}

// parseSchedule reads by how much a message is to be delayed.
//
// Layer docs: platform, messages, delayed messages.
func parseSchedule(v any) (time.Duration, *failure) {
	if v == nil {
		return 0, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return 0, invalid("schedule", "it must be an object")
	}
	o := object(m)
	if !o.has("delay_in_seconds") {
		return 0, missing("schedule.delay_in_seconds")
	}
	delay, ok := o["delay_in_seconds"].(float64)
	if !ok || delay < minDelay || delay > maxDelay {
		return 0, invalid("schedule.delay_in_seconds", "it must be a number from 1.0 to 300.0")
	}
	if o.has("typing_indicator_in_seconds") {
		typing, ok := o["typing_indicator_in_seconds"].(float64)
		if !ok || typing < minDelay || typing > delay {
			return 0, invalid("schedule.typing_indicator_in_seconds", "it must be a number from 1.0 to the delay")
		}
	}
	return time.Duration(delay * float64(time.Second)), nil
}

// schedule keeps a message until its time comes, and answers as if it was sent
// already.
func (c *call) schedule(tx *tx, conv *conversation, packed string, delay time.Duration) answer {
	s := &scheduled{id: c.newID(), conv: conv, packed: packed, made: tx.now, at: tx.now.Add(delay)}
	tx.plan(s)
	tx.touch(s)
	return rawAnswer(http.StatusAccepted, c.created(s.message()))
}

// plan arms the timer of a scheduled message.
func (a *app) plan(s *scheduled) {
	a.scheduled[s.id] = s
	s.timer = a.e.after(time.Until(s.at), func() { a.sendScheduled(s) })
}

// message is what the answer to a delayed send shows.
func (s *scheduled) message() *message {
	return &message{id: s.id, conv: s.conv, roster: s.conv.roster, packed: s.packed, sentAt: s.made.UnixNano()}
}

// sendScheduled sends a delayed message, unless its conversation was deleted or
// its sender removed meanwhile.
func (a *app) sendScheduled(s *scheduled) {
	_, _ = a.update(func(tx *tx) (answer, *failure) { // update logs what could not be kept
		if tx.scheduled[s.id] != s || s.done {
			return answer{}, nil // a reset came first
		}
		s.done = true
		tx.touch(s)
		from := s.message().author()
		if s.conv.deleted || from.isUser && !s.conv.roster.has(from.name) && !a.e.config.Switches.OutsideSender {
			return answer{}, nil
		}
		tx.post(s.conv, s.id, s.packed)
		return answer{}, nil
	})
}

// sentBefore answers the repeat of a send as the first time.
func (c *call) sentBefore(tx *tx) answer {
	if s := tx.scheduled[c.dedupe]; s != nil {
		return rawAnswer(http.StatusAccepted, c.created(s.message()))
	}
	return rawAnswer(http.StatusCreated, c.created(tx.messages[c.dedupe]))
}
