package tasks

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/layerq/layerq/layer"
)

const (
	// PayloadVersion is the "v" of the payloads that this version writes, and
	// the only one that it reads.
	PayloadVersion = 1

	// MaxPayload is the most bytes that a payload may have: 256 KiB. What is
	// larger belongs into rich content.
	MaxPayload = 256 << 10
)

// envelope is a payload as it lies in the queue: {"v":1,"args":{...}}.
type envelope struct {
	V    *int           `json:"v"`
	Args jsontext.Value `json:"args,omitzero"`
}

// New makes a task of a type's name and its args as JSON, as they stand in a
// line of a bulk file, and validates it.
//
// Decoding is strict: unknown members, members given twice, names in another
// case, values of another type (a number where Layer takes a string), invalid
// UTF-8, NUL and anything behind the object are errors. A null counts
// as absent. The error is an [*InvalidError] that names each field by its path in
// args, such as "parts[0].body", and quotes no values.
func New(taskType string, args []byte) (Task, error) {
	k, err := lookup(taskType)
	if err != nil {
		return nil, err
	}
	if err := checkSize("args", args); err != nil {
		return nil, invalid(taskType, err)
	}
	t, err := k.decode(args, "")
	if err != nil {
		return nil, invalid(taskType, err)
	}
	if err := t.Validate(); err != nil {
		return nil, invalid(taskType, err)
	}
	return t, nil
}

// Decode makes a task of its type and a payload taken from the queue, and
// validates it, as strictly as [New]. Paths in errors start at the payload:
// "args.parts[0].body".
//
// An unknown type, "v" or member is an error too: it comes from a newer
// producer. Upgrade the workers, then replay what they archived.
func Decode(taskType string, payload []byte) (Task, error) {
	k, err := lookup(taskType)
	if err != nil {
		return nil, err
	}
	args, err := unwrap(payload)
	if err != nil {
		return nil, invalid(taskType, err)
	}
	t, err := k.decode(args, "args")
	if err != nil {
		return nil, invalid(taskType, err)
	}
	if err := t.Validate(); err != nil {
		return nil, invalid(taskType, below("args", err))
	}
	return t, nil
}

// Encode returns the payload under which a task is enqueued. It is canonical:
// equal tasks have equal payloads, byte for byte. It validates nothing but the
// size, of which it takes at most [MaxPayload].
func Encode(t Task) ([]byte, error) {
	args, err := json.Marshal(t, json.Deterministic(true))
	if err != nil {
		// The text of err may quote values.
		return nil, invalid(t.Type(), &layer.FieldError{Field: "args", Problem: "cannot be written as JSON: is all of its text valid UTF-8?"})
	}
	version := PayloadVersion
	payload, err := json.Marshal(envelope{V: &version, Args: args})
	if err != nil {
		return nil, fmt.Errorf("tasks: encode %s: %w", t.Type(), err)
	}
	if err := checkSize("payload", payload); err != nil {
		return nil, invalid(t.Type(), err)
	}
	return payload, nil
}

// unwrap opens the envelope and returns what is in it.
func unwrap(payload []byte) (jsontext.Value, error) {
	if err := checkSize("payload", payload); err != nil {
		return nil, err
	}
	var e envelope
	if err := decodeStrict(payload, "payload", "", &e); err != nil {
		return nil, err
	}
	switch {
	case e.V == nil:
		return nil, &layer.FieldError{Field: "v", Problem: "is missing, must be 1"}
	case *e.V != PayloadVersion:
		return nil, &layer.FieldError{Field: "v", Problem: fmt.Sprintf("is %d, this version reads 1 only: upgrade the workers and replay", *e.V)}
	case len(e.Args) == 0:
		return nil, &layer.FieldError{Field: "args", Problem: "is missing"}
	}
	return e.Args, nil
}

func checkSize(field string, b []byte) error {
	if len(b) <= MaxPayload {
		return nil
	}
	return &layer.FieldError{Field: field, Problem: fmt.Sprintf("is %d bytes, at most %d fit into a task", len(b), MaxPayload)}
}
