package tasks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
)

// ErrNotFound is returned for an ID under which there is no task: it was never
// enqueued, it was deleted, or it is done and its retention is over.
var ErrNotFound = errors.New("no such task")

// InvalidError says what is wrong with a task, its payload or the options it
// is enqueued with. Nothing was enqueued; repeating without a change is no use.
type InvalidError struct {
	Type string // the task's type, as far as it is known
	Err  error  // one or more [layer.FieldError], joined
}

// maxListed bounds the fields in the text of an error, which is kept in Redis
// and written to logs.
const maxListed = 8

// Error lists the fields in one line, the first ones where there are many. It
// names fields, not their values.
func (e *InvalidError) Error() string {
	fields := e.Fields()
	problems := make([]string, 0, maxListed+1)
	for i, f := range fields {
		if i == maxListed {
			problems = append(problems, fmt.Sprintf("and %d more", len(fields)-maxListed))
			break
		}
		problems = append(problems, (&layer.FieldError{Field: shorten(f.Field), Problem: f.Problem}).Error())
	}
	if len(fields) == 0 {
		problems = append(problems, e.Err.Error())
	}
	text := strings.Join(problems, "; ")
	if e.Type == "" {
		return "tasks: " + text
	}
	return "tasks: " + e.Type + ": " + text
}

// shorten cuts the middle out of a path, such as that through metadata which is
// nested a thousand times.
func shorten(s string) string {
	const head, tail = 200, 120
	if len(s) <= head+tail {
		return s
	}
	return strings.ToValidUTF8(s[:head]+"..."+s[len(s)-tail:], "")
}

// Unwrap gives access to the single fields for [errors.As].
func (e *InvalidError) Unwrap() error { return e.Err }

// Fields returns every field that is wrong, in the order of the task's fields.
func (e *InvalidError) Fields() []*layer.FieldError { return layer.FieldErrors(e.Err) }

func invalid(taskType string, err error) error {
	return &InvalidError{Type: taskType, Err: err}
}

// below puts the paths of all fields in err under a prefix.
func below(prefix string, err error) error {
	fields := layer.FieldErrors(err)
	if len(fields) == 0 {
		return err
	}
	moved := make([]error, len(fields))
	for i, f := range fields {
		moved[i] = &layer.FieldError{Field: joinPath(prefix, f.Field), Problem: f.Problem}
	}
	return errors.Join(moved...)
}

// ConflictError says that a dedupe UUID already belongs to a task of another
// type or with other args. Nothing was enqueued: choose another key or ID.
type ConflictError struct {
	ID       uuid.UUID
	Type     string // of the task that was to be enqueued
	Existing *Info  // the task that has the ID
}

func (e *ConflictError) Error() string {
	what := "with other args"
	if e.Existing.Type != e.Type {
		what = "of type " + wording.Quote(e.Existing.Type)
	}
	return fmt.Sprintf("tasks: %s: id %s belongs to another task %s (%s): use another key or id",
		e.Type, e.ID, what, e.Existing.State)
}

// ErrNotReplicated is found in the error of a client made [WithReplicas] when too few of
// them have confirmed a task in time.
var ErrNotReplicated = queue.ErrReplicas

// RedisError says that Redis could not be asked, or refused.
//
// Where it comes from enqueueing, the task may have been stored all the same,
// its answer lost. Enqueueing again with [ID] set to the error's ID is safe: it
// is stored once.
type RedisError struct {
	Addr string    // what was tried, without user and password
	ID   uuid.UUID // of the task, where it is about one
	Err  error
}

func (e *RedisError) Error() string {
	return fmt.Sprintf("tasks: Redis at %s %s", e.Addr, redischeck.Explain(e.Err))
}

// Unwrap returns what the Redis client said.
func (e *RedisError) Unwrap() error { return e.Err }
