package tasks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
)

// maxKey is the most bytes of a business key. It is hashed, so this only keeps
// out what is a mistake, such as a whole document.
const maxKey = 1024

// order is what the options of one task come to.
type order struct {
	id        uuid.UUID
	queue     string
	processAt time.Time // zero: at once
	expires   time.Time // zero: never
	lane      string    // empty: none
	stopLane  bool
}

// resolve checks options against each other and fills in the defaults. The
// error joins a field error for each option that is wrong.
func resolve(t Task, now time.Time, opts []Option) (order, error) {
	var s settings
	for _, set := range opts {
		if set != nil {
			set(&s)
		}
	}
	lane := s.laneOf(t)
	err := errors.Join(s.checkName(), s.checkQueue(), s.checkTimes(now), s.checkLane(lane))
	if err != nil {
		return order{}, err
	}
	o := order{id: s.dedupeID(t.Type()), queue: queue.Default, processAt: s.start(now), lane: lane, stopLane: s.stopLane}
	if s.queue != nil {
		o.queue = *s.queue
	}
	if s.expires != nil {
		o.expires = *s.expires
	}
	return o, nil
}

func (s *settings) dedupeID(taskType string) uuid.UUID {
	switch {
	case s.id != nil:
		return *s.id
	case s.key != nil:
		return KeyID(taskType, *s.key)
	default:
		return uuid.New()
	}
}

func (s *settings) checkName() error {
	switch {
	case s.key != nil && s.id != nil:
		return wrong("key", "excludes id: the id is derived from the key")
	case s.key != nil:
		return checkKey(*s.key)
	case s.id != nil && *s.id == uuid.Nil:
		return wrong("id", "is the zero UUID")
	default:
		return nil
	}
}

func checkKey(key string) error {
	switch {
	case key == "":
		return wrong("key", "is empty")
	case len(key) > maxKey:
		return wrong("key", "is %d bytes, at most %d are taken", len(key), maxKey)
	case !utf8.ValidString(key):
		return wrong("key", "is not valid UTF-8")
	case strings.ContainsRune(key, 0):
		return wrong("key", "contains NUL")
	default:
		return nil
	}
}

func (s *settings) checkQueue() error {
	if s.queue == nil {
		return nil
	}
	return checkQueueName(*s.queue)
}

func checkQueueName(name string) error {
	if slices.Contains(queue.Names, name) {
		return nil
	}
	return wrong("queue", "%s is unknown; there are %s", wording.Quote(name), strings.Join(queue.Names, ", "))
}

// laneOf is the lane that the task goes into; empty for none.
func (s *settings) laneOf(t Task) string {
	switch {
	case s.unordered:
		return ""
	case s.lane != nil:
		return "named:" + *s.lane
	default:
		return LaneOf(t)
	}
}

func (s *settings) checkLane(lane string) error {
	var err error
	if s.lane != nil {
		err = checkLaneName(*s.lane)
	}
	switch {
	case s.lane != nil && s.unordered:
		return wrong("lane", "excludes unordered")
	case s.stopLane && s.unordered:
		return wrong("lane_stop_on_failure", "excludes unordered")
	case s.stopLane && lane == "":
		return wrong("lane_stop_on_failure", "the task has no lane")
	}
	return err
}

func checkLaneName(name string) error {
	switch {
	case name == "":
		return wrong("lane", "is empty")
	case len(name) > maxLane:
		return wrong("lane", "is %d bytes, at most %d are taken", len(name), maxLane)
	case !utf8.ValidString(name):
		return wrong("lane", "is not valid UTF-8")
	case strings.ContainsRune(name, 0):
		return wrong("lane", "contains NUL")
	default:
		return nil
	}
}

func (s *settings) checkTimes(now time.Time) error {
	switch {
	case s.in != nil && s.at != nil:
		return wrong("in", "excludes at")
	case s.in != nil && *s.in < 0:
		return wrong("in", "is negative: %v", *s.in)
	case s.at != nil && s.at.IsZero():
		return wrong("at", "is the zero time")
	case queue.TooLate(s.asked(now)):
		return wrong(s.startField(), "leads to %s; a task starts before 2100", rfc3339(s.asked(now)))
	case s.expires == nil:
		return nil
	case !s.expires.After(now):
		return wrong("expires", "%s has passed", rfc3339(*s.expires))
	case !s.start(now).IsZero() && s.expires.Sub(s.asked(now)) < time.Second:
		// With less it would depend on the moment whether there is any time to run it in.
		return wrong("expires", "%s is not a second behind the start at %s: a task for later starts at the next full second",
			rfc3339(*s.expires), rfc3339(s.asked(now)))
	default:
		return nil
	}
}

// startField is the option that says when the task starts.
func (s *settings) startField() string {
	if s.in != nil {
		return "in"
	}
	return "at"
}

// start is when the task may run; zero for at once. The queue counts whole
// seconds, and no task may run early.
func (s *settings) start(now time.Time) time.Time {
	if asked := s.asked(now); !asked.IsZero() {
		return queue.NextSecond(asked)
	}
	return time.Time{}
}

// asked is when the caller wants it to run; zero for at once.
func (s *settings) asked(now time.Time) time.Time {
	switch {
	case s.in != nil && *s.in > 0:
		return now.Add(*s.in)
	case s.at != nil && s.at.After(now):
		return *s.at
	default:
		return time.Time{}
	}
}

func wrong(field, problem string, args ...any) error {
	return &layer.FieldError{Field: field, Problem: fmt.Sprintf(problem, args...)}
}

func rfc3339(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z07:00") }
