package queue_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	_ "github.com/hibiken/asynq" // registers asynq.TaskMessage
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/internal/queue"
)

// asynqMessage returns an empty message of asynq's own generated type.
func asynqMessage(t testing.TB) protoreflect.Message {
	t.Helper()
	mt, err := protoregistry.GlobalTypes.FindMessageByName("asynq.TaskMessage")
	if err != nil {
		t.Fatalf("asynq no longer registers its task message: %v", err)
	}
	return mt.New()
}

// asAsynq builds asynq's message from ours by the names of asynq's fields.
func asAsynq(t testing.TB, m *queue.Message) proto.Message {
	t.Helper()
	p := asynqMessage(t)
	values := map[protoreflect.Name]any{
		"type": m.Type, "payload": m.Payload, "id": m.ID, "queue": m.Queue, "retry": m.Retry, "retried": m.Retried,
		"error_msg": m.ErrorMsg, "last_failed_at": m.LastFailedAt, "timeout": m.Timeout, "deadline": m.Deadline,
		"unique_key": m.UniqueKey, "group_key": m.GroupKey, "retention": m.Retention, "completed_at": m.CompletedAt,
	}
	fields := p.Descriptor().Fields()
	for name, v := range values {
		p.Set(fields.ByName(name), protoreflect.ValueOf(v))
	}
	headers := p.Mutable(fields.ByName("headers")).Map()
	for k, v := range m.Headers {
		headers.Set(protoreflect.ValueOfString(k).MapKey(), protoreflect.ValueOfString(v))
	}
	if got, want := fields.Len(), len(values)+1; got != want {
		t.Fatalf("asynq's task message has %d fields, this package knows %d", got, want)
	}
	return p.Interface()
}

func messages() *rapid.Generator[*queue.Message] {
	return rapid.Custom(func(t *rapid.T) *queue.Message {
		text := rapid.String()
		m := &queue.Message{
			Type:         text.Draw(t, "type"),
			Payload:      rapid.SliceOf(rapid.Byte()).Draw(t, "payload"),
			ID:           text.Draw(t, "id"),
			Queue:        text.Draw(t, "queue"),
			Retry:        rapid.Int32().Draw(t, "retry"),
			Retried:      rapid.Int32().Draw(t, "retried"),
			ErrorMsg:     text.Draw(t, "error"),
			LastFailedAt: rapid.Int64().Draw(t, "last failed"),
			Timeout:      rapid.Int64().Draw(t, "timeout"),
			Deadline:     rapid.Int64().Draw(t, "deadline"),
			UniqueKey:    text.Draw(t, "unique"),
			GroupKey:     text.Draw(t, "group"),
			Retention:    rapid.Int64().Draw(t, "retention"),
			CompletedAt:  rapid.Int64().Draw(t, "completed"),
		}
		if h := rapid.MapOf(text, text).Draw(t, "headers"); len(h) > 0 {
			m.Headers = h
		}
		return m
	})
}

var ignoreEmpty = cmpopts.EquateEmpty()

func TestMessageEncodesAsAsynqDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := messages().Draw(rt, "message")

		theirs := asynqMessage(t).Interface()
		if err := proto.Unmarshal(m.Encode(), theirs); err != nil {
			rt.Fatalf("asynq's type does not decode our bytes: %v", err)
		}
		if !proto.Equal(theirs, asAsynq(t, m)) {
			rt.Fatalf("asynq's type decodes our bytes to %v, want %v", theirs, asAsynq(t, m))
		}

		encoded, err := proto.Marshal(asAsynq(t, m))
		if err != nil {
			rt.Fatal(err)
		}
		got, err := queue.DecodeMessage(encoded)
		if err != nil {
			rt.Fatalf("we do not decode asynq's bytes: %v", err)
		}
		if diff := cmp.Diff(m, got, ignoreEmpty); diff != "" {
			rt.Fatalf("asynq's bytes decoded (-want +got):\n%s", diff)
		}
	})
}

func TestEqualMessagesEncodeEqually(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := messages().Draw(rt, "message")
		again, err := queue.DecodeMessage(m.Encode())
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(m.Encode(), again.Encode()) {
			rt.Fatalf("%q and %q are the same message", m.Encode(), again.Encode())
		}
	})
}

func TestDecodedMessageOwnsItsMemory(t *testing.T) {
	t.Parallel()
	b := (&queue.Message{Type: "a:b", Payload: []byte("payload"), ID: "id"}).Encode()
	m, err := queue.DecodeMessage(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if string(m.Payload) != "payload" || m.Type != "a:b" {
		t.Errorf("message changed with the bytes it was decoded from: %+v", m)
	}
}

func TestTimesOfAMessage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	for _, tc := range []struct {
		name   string
		header string
		want   time.Time
	}{
		{"as written", queue.FormatTime(at), at},
		{"whole seconds", "2026-03-01T11:00:00Z", at.Truncate(time.Second)},
		{"missing", "", time.Time{}},
		{"no time", "yesterday", time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := &queue.Message{Headers: map[string]string{
				queue.HeaderEnqueuedAt: tc.header, queue.HeaderExpiresAt: tc.header,
			}}
			if got := m.EnqueuedAt(); !got.Equal(tc.want) {
				t.Errorf("EnqueuedAt() = %s, want %s", got, tc.want)
			}
			if got := m.ExpiresAt(); !got.Equal(tc.want) {
				t.Errorf("ExpiresAt() = %s, want %s", got, tc.want)
			}
		})
	}
}

// FuzzDecodeMessage holds that what asynq can decode is exactly what we can,
// and that both read the same. A message that we let through and asynq does not
// would stop asynq's recoverer; the other way round a good task would be refused.
func FuzzDecodeMessage(f *testing.F) {
	f.Add([]byte(nil))
	f.Add((&queue.Message{
		Type: "message:send", Payload: []byte(`{"v":1}`), Headers: map[string]string{"a": "b", "": ""}, ID: "id",
		Queue: "default", Retry: math.MaxInt32, Retried: -1, ErrorMsg: "e", LastFailedAt: 1, Timeout: 2,
		Deadline: 3, UniqueKey: "u", GroupKey: "g", Retention: 4, CompletedAt: -5,
	}).Encode())
	f.Add([]byte("garbage"))
	f.Add([]byte{0x0a, 0x02, 0xff, 0xfe})       // type: not UTF-8
	f.Add([]byte{0x7a, 0x02, 0x0a, 0x00})       // a header without a value
	f.Add([]byte{0x7a, 0x03, 0x0a, 0x01, 0xff}) // a header that is not UTF-8
	f.Add([]byte{0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{0x0b, 0x0c}) // a group
	f.Fuzz(func(t *testing.T, b []byte) {
		theirs := asynqMessage(t).Interface()
		theirErr := proto.Unmarshal(b, theirs)
		ours, ourErr := queue.DecodeMessage(b)
		if (theirErr == nil) != (ourErr == nil) {
			t.Fatalf("asynq's error: %v, ours: %v", theirErr, ourErr)
		}
		if ourErr != nil {
			return
		}
		proto.Reset(theirs) // without the fields that nobody knows
		if err := proto.Unmarshal(ours.Encode(), theirs); err != nil {
			t.Fatal(err)
		}
		want := asynqMessage(t).Interface()
		if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, want); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(want, theirs) {
			t.Fatalf("asynq reads %v, we %v", want, theirs)
		}
	})
}
