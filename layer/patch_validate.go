package layer

// The properties that can be patched, beside those of an [Identity].
const (
	propertyParticipants = "participants"
	propertyMetadata     = "metadata"
	propertyBlocks       = "blocks"
	propertySuspended    = "suspended"
	propertySessionTTL   = "session_ttl_in_seconds"
)

// ValidateForConversation checks a patch for [ConversationsService.Edit]: it adds,
// removes and sets participants, and sets and deletes metadata.
func (p Patch) ValidateForConversation() error {
	return p.validate(func(list *problems, op Operation, names []string) {
		switch {
		case names[0] == propertyMetadata:
			op.validateMetadata(list, names[1:])
		case op.Property == propertyParticipants:
			op.validateUsers(list, 1, MaxParticipants)
		default:
			list.add("property", "is %s; a conversation has participants and metadata", quote(op.Property))
		}
	})
}

// ValidateForBlocks checks a patch for [BlocksService.Edit]: it adds, removes and
// sets blocks.
func (p Patch) ValidateForBlocks() error {
	return p.validate(func(list *problems, op Operation, _ []string) {
		if op.Property == propertyBlocks {
			op.validateUsers(list, 0, 0)
			return
		}
		list.add("property", "is %s; a block list has blocks", quote(op.Property))
	})
}

// ValidateForUser checks a patch of the user object: it sets suspended, and
// changes blocks.
func (p Patch) ValidateForUser() error {
	return p.validate(func(list *problems, op Operation, _ []string) {
		switch op.Property {
		case propertyBlocks:
			op.validateUsers(list, 0, 0)
		case propertySuspended:
			if _, isBool := op.Value.(bool); op.Action != ActionSet || !isBool {
				list.add("value", "must be true or false, by set")
			}
		default:
			list.add("property", "is %s; a user has suspended and blocks", quote(op.Property))
		}
	})
}

// ValidateForIdentity checks a patch for [IdentitiesService.Edit]: it sets and
// deletes the members of an [Identity], within their limits.
func (p Patch) ValidateForIdentity() error {
	return p.validate(func(list *problems, op Operation, names []string) {
		if op.Action != ActionSet && op.Action != ActionDelete {
			list.add("operation", "is %s; an identity takes set and delete", op.Action)
			return
		}
		switch most, known := identityLimits[op.Property]; {
		case names[0] == propertyMetadata:
			op.validateIdentityMetadata(list, names[1:])
		case !known:
			list.add("property", "is %s, which an identity does not have", quote(op.Property))
		case op.Action == ActionDelete && op.Property == "display_name":
			list.add("property", "is display_name, which an identity must have")
		case op.Action == ActionSet:
			op.validateIdentityText(list, most)
		}
	})
}

// validateUsers checks an operation on a set of users. most 0 is no limit.
func (o Operation) validateUsers(list *problems, least, most int) {
	switch o.Action {
	case ActionAdd, ActionRemove:
		user, isString := o.Value.(string)
		if !isString {
			list.add("value", "is %s, want a user id", aKind(o.Value))
			return
		}
		list.required("value", user)
	case ActionSet:
		users, ok := stringList(o.Value)
		if !ok {
			list.add("value", "is no list of user ids")
			return
		}
		if len(users) == 0 && least == 0 {
			return
		}
		list.users("value", users, most)
	case ActionDelete:
		list.add("operation", "is delete; a set takes add, remove and set")
	}
}

func (o Operation) validateMetadata(list *problems, names []string) {
	if o.Action != ActionSet && o.Action != ActionDelete {
		list.add("operation", "is %s; metadata takes set and delete", o.Action)
		return
	}
	for _, name := range names {
		list.metadataKey("property", name)
	}
	if o.Action == ActionDelete {
		return
	}
	if len(names) == 0 && jsonKind(o.Value) != "object" {
		list.add("value", "is %s, want an object", aKind(o.Value))
		return
	}
	list.metadataValue("value", o.Value, 1)
}

func (o Operation) validateIdentityMetadata(list *problems, names []string) {
	switch {
	case len(names) > 1:
		list.add("property", "is %s; the metadata of an identity is flat", quote(o.Property))
	case o.Action == ActionDelete:
	case len(names) == 1:
		o.validateIdentityText(list, 0)
	default:
		object, isObject := cloneValue(o.Value).(map[string]any)
		if !isObject {
			list.add("value", "is %s, want an object of strings", aKind(o.Value))
			return
		}
		if len(object) > MaxIdentityMetadata {
			list.add("value", "has %d keys, Layer takes at most %d", len(object), MaxIdentityMetadata)
		}
		for key, value := range object {
			if text, isString := value.(string); isString {
				list.text("value."+key, text)
			} else {
				list.add("value."+key, "is %s, want a string", aKind(value))
			}
		}
	}
}

// validateIdentityText checks the value of a text; most 0 is no limit.
func (o Operation) validateIdentityText(list *problems, most int) {
	text, isString := o.Value.(string)
	switch {
	case !isString:
		list.add("value", "is %s, want a string", aKind(o.Value))
	case text == "" && o.Property == "display_name":
		list.add("value", "is empty, and an identity must have a display_name")
	case most > 0:
		list.characters("value", text, most)
	default:
		list.text("value", text)
	}
}

func stringList(value any) ([]string, bool) {
	list, ok := cloneValue(value).([]any)
	if !ok {
		return nil, false
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = item.(string); !ok {
			return nil, false
		}
	}
	return texts, true
}
