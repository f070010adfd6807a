package queue

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Headers that hold what is fixed when a task is enqueued. What changes later
// are extra fields of the task's hash, see [FieldAttempts].
const (
	// HeaderEnqueuedAt is when the producer enqueued the task, see [FormatTime].
	HeaderEnqueuedAt = "layerq-enqueued-at"
	// HeaderExpiresAt is the time after which the task must not be executed, see [FormatTime].
	HeaderExpiresAt = "layerq-expires-at"
)

// FormatTime renders t for a header: RFC 3339 in UTC with nanoseconds.
func FormatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// ParseTime reads what [FormatTime] wrote, and any other RFC 3339 time.
func ParseTime(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }

// MaxRetry is the Retry of our messages. Attempts are counted by the worker, as
// those that Layer answered; asynq's own count must never be what stops a task.
const MaxRetry = 1_000_000

// Message is asynq's TaskMessage: what Redis holds of a task.
type Message struct {
	Type    string
	Payload []byte
	// Headers is nil when there are none.
	Headers map[string]string
	// ID is the dedupe UUID for tasks that layerq enqueued.
	ID    string
	Queue string
	// Retry is how many retries asynq allows; [MaxRetry] for ours.
	Retry   int32
	Retried int32
	// ErrorMsg is the text of the last failure, and why an archived task is in the archive.
	ErrorMsg string
	// LastFailedAt is in Unix seconds, 0 if the task never failed.
	LastFailedAt int64
	// Timeout of one execution in seconds, 0 for none.
	Timeout int64
	// Deadline of the execution in Unix seconds, 0 for none.
	Deadline int64
	// UniqueKey is the key of asynq's uniqueness lock; layerq never sets it.
	UniqueKey string
	// GroupKey is the task's aggregation group; layerq never sets it.
	GroupKey string
	// Retention is how many seconds the task is kept after it was completed.
	Retention int64
	// CompletedAt is in Unix seconds, 0 if the task is not completed.
	CompletedAt int64
}

// EnqueuedAt returns when the task was enqueued, as its producer wrote it, or
// the zero time if the producer was not layerq.
func (m *Message) EnqueuedAt() time.Time { return m.timeHeader(HeaderEnqueuedAt) }

// ExpiresAt returns the time after which the task must not be executed, or the
// zero time if there is none.
func (m *Message) ExpiresAt() time.Time { return m.timeHeader(HeaderExpiresAt) }

func (m *Message) timeHeader(name string) time.Time {
	t, err := ParseTime(m.Headers[name])
	if err != nil {
		return time.Time{}
	}
	return t
}

// The field numbers of asynq's internal/proto/asynq.proto, v0.26.0.
const (
	fieldType         = protowire.Number(1)
	fieldPayload      = protowire.Number(2)
	fieldID           = protowire.Number(3)
	fieldQueue        = protowire.Number(4)
	fieldRetry        = protowire.Number(5)
	fieldRetried      = protowire.Number(6)
	fieldErrorMsg     = protowire.Number(7)
	fieldTimeout      = protowire.Number(8)
	fieldDeadline     = protowire.Number(9)
	fieldUniqueKey    = protowire.Number(10)
	fieldLastFailedAt = protowire.Number(11)
	fieldRetention    = protowire.Number(12)
	fieldCompletedAt  = protowire.Number(13)
	fieldGroupKey     = protowire.Number(14)
	fieldHeaders      = protowire.Number(15)

	mapKey   = protowire.Number(1)
	mapValue = protowire.Number(2)
)

// Encode renders the message as asynq stores it. Equal messages give equal
// bytes. Strings must be valid UTF-8, or asynq cannot decode the message.
func (m *Message) Encode() []byte {
	b := make([]byte, 0, 128+len(m.Type)+len(m.Payload)+len(m.ID)+len(m.ErrorMsg)+64*len(m.Headers))
	b = appendString(b, fieldType, m.Type)
	if len(m.Payload) > 0 {
		b = protowire.AppendTag(b, fieldPayload, protowire.BytesType)
		b = protowire.AppendBytes(b, m.Payload)
	}
	b = appendString(b, fieldID, m.ID)
	b = appendString(b, fieldQueue, m.Queue)
	b = appendInt(b, fieldRetry, int64(m.Retry))
	b = appendInt(b, fieldRetried, int64(m.Retried))
	b = appendString(b, fieldErrorMsg, m.ErrorMsg)
	b = appendInt(b, fieldTimeout, m.Timeout)
	b = appendInt(b, fieldDeadline, m.Deadline)
	b = appendString(b, fieldUniqueKey, m.UniqueKey)
	b = appendInt(b, fieldLastFailedAt, m.LastFailedAt)
	b = appendInt(b, fieldRetention, m.Retention)
	b = appendInt(b, fieldCompletedAt, m.CompletedAt)
	b = appendString(b, fieldGroupKey, m.GroupKey)
	for _, k := range slices.Sorted(maps.Keys(m.Headers)) {
		v := m.Headers[k]
		b = protowire.AppendTag(b, fieldHeaders, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(entrySize(k, v)))
		b = protowire.AppendTag(b, mapKey, protowire.BytesType)
		b = protowire.AppendString(b, k)
		b = protowire.AppendTag(b, mapValue, protowire.BytesType)
		b = protowire.AppendString(b, v)
	}
	return b
}

func entrySize(k, v string) int {
	return protowire.SizeTag(mapKey) + protowire.SizeBytes(len(k)) + protowire.SizeTag(mapValue) + protowire.SizeBytes(len(v))
}

func appendString(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

func appendInt(b []byte, num protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
}

// errUndecodable is wrapped by every error of [DecodeMessage].
var errUndecodable = errors.New("queue: not an asynq task message")

// DecodeMessage reads what [Message.Encode] or asynq wrote. Fields that it does
// not know are skipped; malformed bytes and strings that are not UTF-8 are
// errors, as they are to asynq. The message does not share memory with b.
func DecodeMessage(b []byte) (*Message, error) {
	m := new(Message)
	for len(b) > 0 {
		num, typ, n, err := consumeTag(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUndecodable, err)
		}
		b = b[n:]
		n, err = m.decodeField(num, typ, b)
		if err != nil {
			return nil, fmt.Errorf("%w: field %d: %w", errUndecodable, num, err)
		}
		b = b[n:]
	}
	return m, nil
}

// decodeField reads the value of one field and returns its length.
func (m *Message) decodeField(num protowire.Number, typ protowire.Type, b []byte) (int, error) {
	switch {
	case typ == protowire.VarintType && m.intField(num, 0, false):
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		m.intField(num, int64(v), true)
		return n, nil
	case typ == protowire.BytesType && num == fieldPayload:
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		m.Payload = slices.Clone(v)
		return n, nil
	case typ == protowire.BytesType && num == fieldHeaders:
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		return n, m.decodeHeader(v)
	case typ == protowire.BytesType && m.stringField(num) != nil:
		s, n, err := consumeString(b)
		if err != nil {
			return 0, err
		}
		*m.stringField(num) = s
		return n, nil
	}
	n := protowire.ConsumeFieldValue(num, typ, b)
	if n < 0 {
		return 0, protowire.ParseError(n)
	}
	return n, nil
}

func (m *Message) stringField(num protowire.Number) *string {
	switch num {
	case fieldType:
		return &m.Type
	case fieldID:
		return &m.ID
	case fieldQueue:
		return &m.Queue
	case fieldErrorMsg:
		return &m.ErrorMsg
	case fieldUniqueKey:
		return &m.UniqueKey
	case fieldGroupKey:
		return &m.GroupKey
	default:
		return nil
	}
}

// intField tells whether num is an integer field, and sets it if asked to.
func (m *Message) intField(num protowire.Number, v int64, set bool) bool {
	var narrow *int32
	var wide *int64
	switch num {
	case fieldRetry:
		narrow = &m.Retry
	case fieldRetried:
		narrow = &m.Retried
	case fieldTimeout:
		wide = &m.Timeout
	case fieldDeadline:
		wide = &m.Deadline
	case fieldLastFailedAt:
		wide = &m.LastFailedAt
	case fieldRetention:
		wide = &m.Retention
	case fieldCompletedAt:
		wide = &m.CompletedAt
	default:
		return false
	}
	if set && narrow != nil {
		*narrow = int32(v & math.MaxUint32)
	}
	if set && wide != nil {
		*wide = v
	}
	return true
}

// decodeHeader reads one entry of the map of headers.
func (m *Message) decodeHeader(b []byte) error {
	var k, v string
	for len(b) > 0 {
		num, typ, n, err := consumeTag(b)
		if err != nil {
			return err
		}
		b = b[n:]
		switch {
		case num == mapKey && typ == protowire.BytesType:
			k, n, err = consumeString(b)
		case num == mapValue && typ == protowire.BytesType:
			v, n, err = consumeString(b)
		default:
			if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
				err = protowire.ParseError(n)
			}
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	if m.Headers == nil {
		m.Headers = make(map[string]string)
	}
	m.Headers[k] = v
	return nil
}

var errFieldNumber = errors.New("invalid field number")

// consumeTag refuses what proto.Unmarshal refuses and protowire alone does not.
func consumeTag(b []byte) (protowire.Number, protowire.Type, int, error) {
	num, typ, n := protowire.ConsumeTag(b)
	switch {
	case n < 0:
		return 0, 0, 0, protowire.ParseError(n)
	case num > protowire.MaxValidNumber:
		return 0, 0, 0, errFieldNumber
	}
	return num, typ, n, nil
}

var errNotUTF8 = errors.New("not valid UTF-8")

func consumeString(b []byte) (string, int, error) {
	v, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return "", 0, protowire.ParseError(n)
	}
	if !utf8.Valid(v) {
		return "", 0, errNotUTF8
	}
	return string(v), n, nil
}
