package tasks

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/layerq/layerq/internal/nearest"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
)

// types lists every task type: a new one is a file of its own, a line here and
// a golden payload under testdata/payload.
var types = []kind{
	register[SendMessage]("Posts a message to a conversation."),
	register[SendAnnouncement]("Sends an announcement to users, outside any conversation."),
	register[CreateConversation]("Creates a conversation, or finds the distinct one of its participants."),
	register[BlockUser]("Puts a user on the block list of another."),
	register[UnblockUser]("Takes a user off the block list of another."),
	register[UpsertIdentity]("Creates the identity of a user, or replaces it."),
	register[DeleteMessage]("Destroys a message for all its recipients."),
	register[SendNotification]("Pushes a notification to users, without any message."),
	register[UpdateConversation]("Changes the participants and the metadata of a conversation."),
	register[DeleteConversation]("Destroys a conversation for all its participants."),
	register[UpdateBlockList]("Changes many entries of a block list at once."),
	register[UpdateIdentity]("Sets or deletes single properties of an identity."),
	register[DeleteIdentity]("Takes a user's identity away."),
	register[SetBadge]("Sets what the application counts on a user's app icon."),
	register[SuspendUser]("Ends a user's sessions and refuses new ones."),
	register[UnsuspendUser]("Lets a suspended user have sessions again."),
}

// kind is a task type: what [Types] tells of it and how its args are decoded.
type kind struct {
	name   string
	doc    string
	goType reflect.Type
	decode func(args []byte, prefix string) (Task, error)
}

func register[T Task](doc string) kind {
	var zero T
	return kind{
		name:   zero.Type(),
		doc:    doc,
		goType: reflect.TypeFor[T](),
		decode: func(args []byte, prefix string) (Task, error) {
			var t T
			if err := decodeStrict(args, "args", prefix, &t); err != nil {
				return nil, err
			}
			return t, nil
		},
	}
}

// byName finds a type by its whole name: asynq's own mux would serve
// "message:send_rich" with "message:send".
var byName = func() map[string]kind {
	m := make(map[string]kind, len(types))
	for _, k := range types {
		m[k.name] = k
	}
	return m
}()

func lookup(taskType string) (kind, error) {
	if k, ok := byName[taskType]; ok {
		return k, nil
	}
	return kind{}, invalid("", &layer.FieldError{Field: "type", Problem: unknownType(taskType)})
}

func unknownType(taskType string) string {
	if taskType == "" {
		return "is missing; known are " + strings.Join(typeNames(), ", ")
	}
	const longest = 64 // far beyond any type, and little to compare
	if near := nearest.To(taskType[:min(len(taskType), longest)], typeNames()); near != "" {
		return fmt.Sprintf("%s is unknown; did you mean %q?", wording.Quote(taskType), near)
	}
	return wording.Quote(taskType) + " is unknown; known are " + strings.Join(typeNames(), ", ")
}

func typeNames() []string {
	names := make([]string, len(types))
	for i, k := range types {
		names[i] = k.name
	}
	return names
}
