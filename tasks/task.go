package tasks

import (
	"context"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

// Task is one thing to be done at Layer: a value such as [SendMessage] that is
// checked and enqueued by a [Client] and executed later by a worker.
//
// Only this package implements it. The unexported method is the effect, so a
// task type without an effect does not compile.
type Task interface {
	// Type is the name under which the task travels, such as "message:send".
	Type() string

	// Validate reports everything that is wrong with the task, by field:
	// an [errors.Join] of [layer.FieldError] whose Field is the path in the
	// task's JSON, such as "parts[1].body". It looks at the value alone and
	// asks nobody.
	Validate() error

	perform(ctx context.Context, api *layer.Client, id dedupe) (Result, error)
}

// Result is what an executed task made. Its JSON is what a worker keeps beside
// the task for as long as it is retained; members without a value are left out.
type Result struct {
	ConversationID layer.ConversationID `json:"conversation_id,omitzero"`
	MessageID      layer.MessageID      `json:"message_id,omitzero"`
	AnnouncementID layer.AnnouncementID `json:"announcement_id,omitzero"`
}

// sourced is a task that takes content from elsewhere.
type sourced interface {
	hasSource() bool
	performFrom(ctx context.Context, api *layer.Client, id dedupe, p performance) (Result, error)
}

// Perform executes the task now, with id as its dedupe UUID, and returns what
// it made. It is what a worker does with a task that it took from its queue.
//
// Performing again with the same id has no second effect: calls that create
// something carry the id to Layer as If-None-Match, a task of several calls
// derives one UUID from it for each, and the other calls are idempotent; the
// doc comment of each task type says how.
//
// Errors are those of package layer, and [*SourceError] where the content of a
// part cannot be had. It ends soon after ctx.
func Perform(ctx context.Context, api *layer.Client, id uuid.UUID, t Task, opts ...PerformOption) (Result, error) {
	p := performance{sources: defaultSources}
	for _, set := range opts {
		set(&p)
	}
	if s, ok := t.(sourced); ok {
		return s.performFrom(ctx, api, dedupe(id), p)
	}
	return t.perform(ctx, api, dedupe(id))
}
