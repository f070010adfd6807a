package layertest

import (
	"maps"
	"reflect"
	"slices"
)

// draft is what a patch makes of a conversation before it is applied: either
// all operations take effect or none. There may be many: each costs little.
type draft struct {
	conv         *conversation
	participants map[string]bool // nil as long as they stay the same
	metadata     map[string]any
	copied       bool // metadata is not the conversation's own any more
}

// patchConversation answers PATCH /apps/A/conversations/C.
//
// Layer docs: platform, conversations, adding and removing participants,
// metadata.
func (c *call) patchConversation() (answer, *failure) {
	ops, f := c.decodePatch()
	if f != nil {
		return answer{}, f
	}
	for _, op := range ops {
		if f := c.checkConversation(op); f != nil {
			return answer{}, f
		}
	}
	return c.write(func(tx *tx) (answer, *failure) {
		conv, f := c.writable(tx.app)
		if f != nil {
			return answer{}, f
		}
		d := draft{conv: conv, metadata: conv.metadata}
		for _, op := range ops {
			if f := d.apply(op); f != nil {
				return answer{}, f
			}
		}
		if len(d.participants) > maxParticipants {
			return answer{}, tooMany()
		}
		if d.participants != nil {
			tx.setParticipants(conv, newRoster(slices.Collect(maps.Keys(d.participants))))
		}
		tx.setMetadata(conv, d.metadata)
		return noContent(), nil
	})
}

// checkConversation says whether a conversation takes the operation at all.
func (c *call) checkConversation(op operation) *failure {
	switch {
	case op.property == "participants":
		switch op.kind {
		case opAdd, opRemove:
			if id, ok := op.value.(string); !ok || id == "" {
				return invalid("participants", "the value must be a user id")
			}
			return nil
		case opSet:
			_, f := c.somebody(op.value)
			return f
		default:
			return op.wrong("participants take add, remove and set")
		}
	case op.path[0] == "metadata":
		return c.checkMetadataOperation(op)
	}
	return op.wrong("a conversation has participants and metadata")
}

func (c *call) checkMetadataOperation(op operation) *failure {
	for _, key := range op.path[1:] {
		if problem := c.wrongKey(key); problem != "" {
			return op.wrong(problem)
		}
	}
	switch {
	case op.kind == opDelete:
		return nil
	case op.kind != opSet:
		return op.wrong("metadata takes set and delete")
	case len(op.path) == 1:
		_, f := c.parseMetadata(op.value)
		return f
	default:
		return c.checkMetadata(op.value, op.property)
	}
}

func (d *draft) apply(op operation) *failure {
	if op.path[0] == "metadata" {
		if !d.copied {
			d.metadata, d.copied = copyMetadata(d.metadata), true
		}
		changed, f := op.applyTo(d.metadata)
		if f == nil {
			d.metadata = changed
		}
		return f
	}
	if d.participants == nil {
		d.participants = setOf(d.conv.roster.ids)
	}
	id, _ := op.value.(string)
	switch op.kind {
	case opAdd:
		d.participants[id] = true
	case opRemove:
		delete(d.participants, id)
	default:
		ids, _ := userIDs(op.value, "participants") // checked before
		d.participants = setOf(ids)
	}
	return nil
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// setParticipants replaces the participants. A conversation whose participants
// changed is not the distinct one of anybody, for good.
func (tx *tx) setParticipants(conv *conversation, r *roster) {
	if slices.Equal(conv.roster.ids, r.ids) {
		return
	}
	if conv.distinct {
		delete(tx.distinct, conv.roster.key())
		conv.distinct = false
	}
	for _, id := range conv.roster.ids {
		if !r.has(id) {
			conv.members[id].leave()
		}
	}
	for _, id := range r.ids {
		if !conv.roster.has(id) {
			tx.join(conv, id)
		}
	}
	conv.roster = r
	tx.touch(conv)
	tx.tellConversation(conversationParticipants, conv)
}

func (tx *tx) setMetadata(conv *conversation, metadata map[string]any) {
	if reflect.DeepEqual(conv.metadata, metadata) {
		return
	}
	conv.metadata = metadata
	tx.touch(conv)
	tx.tellConversation(conversationMetadata, conv)
}

// deleteConversation answers DELETE /apps/A/conversations/C: for everyone, and
// again with success.
//
// Layer docs: platform, conversations, delete.
func (c *call) deleteConversation() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		conv := tx.conversations[c.id("conversation")]
		switch {
		case conv == nil && c.e.config.Switches.RepeatedDelete:
		case conv == nil:
			return answer{}, unknown("conversation")
		case !conv.deleted:
			tx.removeConversation(conv)
		}
		return noContent(), nil
	})
}

func (tx *tx) removeConversation(conv *conversation) {
	tx.tellConversation(conversationDeleted, conv)
	if conv.distinct {
		delete(tx.distinct, conv.roster.key())
	}
	tx.dropConversation(conv)
	tx.touch(conv)
}

// dropConversation takes a conversation out of every view.
func (a *app) dropConversation(conv *conversation) {
	conv.deleted = true
	a.live.conversations--
	a.live.messages -= len(conv.messages)
	conv.messages = nil
	for _, m := range conv.members {
		m.user.members = slices.DeleteFunc(m.user.members, func(other *member) bool { return other == m })
	}
}
