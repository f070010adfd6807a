package layer

import "github.com/google/uuid"

// ConversationID names a conversation. Its text form is layer:///conversations/UUID. Make one with
// [ParseConversationID] or by conversion from a [uuid.UUID]. The zero value stands for a
// missing id.
type ConversationID uuid.UUID

// ParseConversationID reads a conversation id: a bare UUID of any case, or layer:///conversations/UUID.
// An id of another kind is refused. The error is a [*FieldError] for field
// "conversation".
func ParseConversationID(s string) (ConversationID, error) {
	id, err := parseID("conversation", "conversations", s)
	return ConversationID(id), err
}

// String gives layer:///conversations/UUID, in lower case.
func (id ConversationID) String() string { return formatID("conversations", uuid.UUID(id)) }

// UUID gives the bare UUID.
func (id ConversationID) UUID() uuid.UUID { return uuid.UUID(id) }

// IsZero tells whether the id is missing.
func (id ConversationID) IsZero() bool { return id == ConversationID{} }

// MarshalText gives what String gives, and nothing for a missing id.
func (id ConversationID) MarshalText() ([]byte, error) {
	return marshalID(uuid.UUID(id), id.String())
}

// UnmarshalText takes what [ParseConversationID] takes.
func (id *ConversationID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseConversationID(string(text))
	return err
}

// MessageID names a message. Its text form is layer:///messages/UUID. Make one with
// [ParseMessageID] or by conversion from a [uuid.UUID]. The zero value stands for a
// missing id.
type MessageID uuid.UUID

// ParseMessageID reads a message id: a bare UUID of any case, or layer:///messages/UUID.
// An id of another kind is refused. The error is a [*FieldError] for field
// "message".
func ParseMessageID(s string) (MessageID, error) {
	id, err := parseID("message", "messages", s)
	return MessageID(id), err
}

// String gives layer:///messages/UUID, in lower case.
func (id MessageID) String() string { return formatID("messages", uuid.UUID(id)) }

// UUID gives the bare UUID.
func (id MessageID) UUID() uuid.UUID { return uuid.UUID(id) }

// IsZero tells whether the id is missing.
func (id MessageID) IsZero() bool { return id == MessageID{} }

// MarshalText gives what String gives, and nothing for a missing id.
func (id MessageID) MarshalText() ([]byte, error) {
	return marshalID(uuid.UUID(id), id.String())
}

// UnmarshalText takes what [ParseMessageID] takes.
func (id *MessageID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseMessageID(string(text))
	return err
}

// AnnouncementID names an announcement. Its text form is layer:///announcements/UUID. Make one with
// [ParseAnnouncementID] or by conversion from a [uuid.UUID]. The zero value stands for a
// missing id.
type AnnouncementID uuid.UUID

// ParseAnnouncementID reads an announcement id: a bare UUID of any case, or layer:///announcements/UUID.
// An id of another kind is refused. The error is a [*FieldError] for field
// "announcement".
func ParseAnnouncementID(s string) (AnnouncementID, error) {
	id, err := parseID("announcement", "announcements", s)
	return AnnouncementID(id), err
}

// String gives layer:///announcements/UUID, in lower case.
func (id AnnouncementID) String() string { return formatID("announcements", uuid.UUID(id)) }

// UUID gives the bare UUID.
func (id AnnouncementID) UUID() uuid.UUID { return uuid.UUID(id) }

// IsZero tells whether the id is missing.
func (id AnnouncementID) IsZero() bool { return id == AnnouncementID{} }

// MarshalText gives what String gives, and nothing for a missing id.
func (id AnnouncementID) MarshalText() ([]byte, error) {
	return marshalID(uuid.UUID(id), id.String())
}

// UnmarshalText takes what [ParseAnnouncementID] takes.
func (id *AnnouncementID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseAnnouncementID(string(text))
	return err
}
