package dequeue

import (
	"maps"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/layerq/layerq/internal/queue"
)

// UndecodableType is the type of the message that stands in for one that
// cannot be decoded, so that asynq can hand it to the worker, which archives it
// with a reason. Its payload is what was there instead of a message.
const UndecodableType = "layerq:undecodable"

// HeaderUndecodable is the header of an [UndecodableType] message that says what is wrong.
const HeaderUndecodable = "layerq-undecodable"

// noTimeout is the timeout that asynq gets for every task. The worker has its
// own, which end an execution before asynq gives its slot away.
const noTimeout = 24 * time.Hour

// normalize returns the message as asynq shall see it: executed until the
// worker says what becomes of it, and kept when it is done.
//
//   - Retry is so high that asynq never archives a task by its count.
//   - Timeout is so long that asynq never gives up an execution.
//   - A Deadline, which only other producers set, becomes the time at which the
//     task expires: with the endless retries it would otherwise be retried for ever.
//   - Retention is the given one where the message has none.
//
// A message that cannot be decoded, or is of another task or queue than where
// it was found, is replaced, and stands is false: asynq would fail on it
// again and again, and its recoverer with all tasks beside it.
func normalize(encoded, id, q string, retention time.Duration) (m *queue.Message, stands bool) {
	m, err := queue.DecodeMessage([]byte(encoded))
	switch {
	case err != nil:
		m = standIn(encoded, err.Error())
	case m.ID != id:
		m = standIn(encoded, "queue: the message is of another task")
	case m.Queue != q:
		m = standIn(encoded, "queue: the message is of another queue")
	default:
		stands = true
	}
	m.ID, m.Queue = nameOf(id), q
	m.Retry = queue.MaxRetry
	m.Retried = min(max(m.Retried, 0), queue.MaxRetry-1)
	m.Timeout = int64(noTimeout / time.Second)
	if m.Deadline != 0 {
		if _, ok := m.Headers[queue.HeaderExpiresAt]; !ok {
			m.Headers = withHeader(m.Headers, queue.HeaderExpiresAt, queue.FormatTime(time.Unix(m.Deadline, 0)))
		}
		m.Deadline = 0
	}
	if m.Retention <= 0 {
		m.Retention = int64(retention / time.Second)
	}
	return m, stands
}

// nameOf is what asynq knows a task by. It refuses messages with strings that are not UTF-8, so that an id which is none gets
// another name, and its message the reason.
func nameOf(id string) string {
	if utf8.ValidString(id) {
		return id
	}
	return strconv.Quote(id)
}

func standIn(payload, reason string) *queue.Message {
	return &queue.Message{
		Type:    UndecodableType,
		Payload: []byte(payload),
		Headers: map[string]string{HeaderUndecodable: reason},
	}
}

func withHeader(h map[string]string, k, v string) map[string]string {
	h = maps.Clone(h)
	if h == nil {
		h = make(map[string]string, 1)
	}
	h[k] = v
	return h
}
