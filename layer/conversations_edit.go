package layer

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Edit changes a conversation by Layer-Patch: participants (add, remove, set) and
// metadata (set, delete), mixed as you like. Idempotent. Any change of the
// participants ends a conversation's being distinct, for good. Fails with
// [CodeNotFound] or [CodeObjectDeleted] if there is no such conversation, and with
// [CodeInvalidProperty] if Layer does not take a value.
//
// Only the form of the patch is checked before it is sent; for more see
// [Patch.ValidateForConversation].
//
// Layer docs: Platform API, conversations, modifying a conversation.
//
//layer:operation PATCH /apps/:app/conversations/:conversation
func (s *ConversationsService) Edit(ctx context.Context, id ConversationID, patch Patch) error {
	return s.edit(ctx, "conversations.edit", id, patch, inField("operations", patch.Validate()))
}

// SetMetadata sets properties of a conversation's metadata and leaves the others.
// A property is a key or a path of keys with dots ("pier.number"), with or without
// "metadata." before it; objects that are missing on the path are made. A value is
// a string, or an object of strings, which replaces what is there. Idempotent.
// Fails as Edit does.
func (s *ConversationsService) SetMetadata(ctx context.Context, id ConversationID, properties map[string]any) error {
	var (
		patch Patch
		wrong problems
	)
	if len(properties) == 0 {
		wrong.add("metadata", "is missing or empty")
	}
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		property := wrong.metadataProperty(key)
		wrong.metadataValue(property, properties[key], 1)
		patch = patch.Set(property, properties[key])
	}
	return s.edit(ctx, "conversations.set_metadata", id, patch, wrong.err())
}

// DeleteMetadata deletes properties of a conversation's metadata, named as in
// SetMetadata. Idempotent: one that is absent is no error. Fails as Edit does.
func (s *ConversationsService) DeleteMetadata(ctx context.Context, id ConversationID, properties ...string) error {
	var (
		patch Patch
		wrong problems
	)
	if len(properties) == 0 {
		wrong.add("metadata", "is missing or empty")
	}
	for _, key := range properties {
		patch = patch.Delete(wrong.metadataProperty(key))
	}
	return s.edit(ctx, "conversations.delete_metadata", id, patch, wrong.err())
}

// AddParticipants adds users to a conversation. Idempotent: those who are in it
// already stay. Fails as Edit does.
func (s *ConversationsService) AddParticipants(ctx context.Context, id ConversationID, users ...string) error {
	var wrong problems
	wrong.users(propertyParticipants, users, MaxParticipants)
	return s.edit(ctx, "conversations.add_participants", id, Patch{}.Add(propertyParticipants, users...), wrong.err())
}

// RemoveParticipants takes users out of a conversation. Idempotent: those who are
// not in it are no error. Fails as Edit does.
func (s *ConversationsService) RemoveParticipants(ctx context.Context, id ConversationID, users ...string) error {
	var wrong problems
	wrong.users(propertyParticipants, users, 0)
	return s.edit(ctx, "conversations.remove_participants", id, Patch{}.Remove(propertyParticipants, users...), wrong.err())
}

// ReplaceParticipants makes these users, 1 to [MaxParticipants], the participants
// of a conversation. Idempotent. Fails as Edit does.
func (s *ConversationsService) ReplaceParticipants(ctx context.Context, id ConversationID, users ...string) error {
	var wrong problems
	wrong.users(propertyParticipants, users, MaxParticipants)
	return s.edit(ctx, "conversations.replace_participants", id, Patch{}.Set(propertyParticipants, users), wrong.err())
}

func (s *ConversationsService) edit(ctx context.Context, operation string, id ConversationID, patch Patch, wrong error) error {
	if err := refuse(operation, missingID("conversation", id), wrong); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPatch,
		path: s.client.path("conversations", id.UUID().String()), body: patch,
	})
	return err
}

// Delete destroys a conversation with its messages, for every participant.
// Idempotent: deleting it again is no error. Fails with [CodeNotFound] if there
// never was one of this id.
//
// Layer docs: Platform API, conversations, deleting a conversation.
//
//layer:operation DELETE /apps/:app/conversations/:conversation
func (s *ConversationsService) Delete(ctx context.Context, id ConversationID) error {
	const operation = "conversations.delete"
	if err := refuse(operation, missingID("conversation", id)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodDelete, path: s.client.path("conversations", id.UUID().String()),
	})
	return err
}

// metadataProperty checks a property of metadata and gives it its prefix.
func (p *problems) metadataProperty(key string) string {
	const prefix = propertyMetadata + "."
	if !strings.HasPrefix(key, prefix) {
		key = prefix + key
	}
	if !p.text(key, key) {
		return key
	}
	names, err := SplitProperty(key)
	if err != nil {
		p.add(key, "has an empty key, or more than %d", maxNesting)
		return key
	}
	for _, name := range names[1:] {
		p.metadataKey(key, name)
	}
	return key
}
