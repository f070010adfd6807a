package tasks

import (
	"github.com/google/uuid"
)

// KeyNamespace is the UUID namespace in which [KeyID] derives dedupe UUIDs from
// business keys. It is itself the UUIDv5 of "https://github.com/layerq/layerq"
// in the URL namespace of RFC 9562, and never changes.
const KeyNamespace = "06d30aba-6a9e-5dce-8eb9-eed44170bd44"

// keyNamespace is KeyNamespace as bytes.
var keyNamespace = uuid.MustParse(KeyNamespace)

// KeyID returns the dedupe UUID that belongs to a business key: the UUIDv5, in
// [KeyNamespace], of the task type, a line feed, and the key, as UTF-8 without
// any normalisation. The same key is the same task, for one task type.
//
// Producers in other languages that use the same rule get the same UUIDs. In
// Python:
//
//	uuid.uuid5(uuid.UUID(KEY_NAMESPACE), "message:send\norder-1234-shipped")
func KeyID(taskType, key string) uuid.UUID {
	return uuid.NewSHA1(keyNamespace, []byte(taskType+"\n"+key))
}

// dedupe is the UUID of one intent: the task's ID in the queue, the
// If-None-Match of the call that the task is about, and the name from which
// the UUIDs of other calls are derived.
type dedupe uuid.UUID

// uuid is for the call that the task is about. Layer makes it the ID of what
// is created, so that a message has the UUID of its task.
func (d dedupe) uuid() uuid.UUID { return uuid.UUID(d) }

// step is for a call on the way there. It depends on the task and the step's
// name alone, so a repeated attempt repeats the same call.
func (d dedupe) step(name string) uuid.UUID {
	return uuid.NewSHA1(uuid.UUID(d), []byte(name))
}
