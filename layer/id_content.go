package layer

import "github.com/google/uuid"

// ContentID names rich content: the bytes of a message part over 2 KB. Its text form is layer:///content/UUID. Make one with
// [ParseContentID] or by conversion from a [uuid.UUID]. The zero value stands for a
// missing id.
type ContentID uuid.UUID

// ParseContentID reads a content id: a bare UUID of any case, or layer:///content/UUID.
// An id of another kind is refused. The error is a [*FieldError] for field
// "content".
func ParseContentID(s string) (ContentID, error) {
	id, err := parseID("content", "content", s)
	return ContentID(id), err
}

// String gives layer:///content/UUID, in lower case.
func (id ContentID) String() string { return formatID("content", uuid.UUID(id)) }

// UUID gives the bare UUID.
func (id ContentID) UUID() uuid.UUID { return uuid.UUID(id) }

// IsZero tells whether the id is missing.
func (id ContentID) IsZero() bool { return id == ContentID{} }

// MarshalText gives what String gives, and nothing for a missing id.
func (id ContentID) MarshalText() ([]byte, error) {
	return marshalID(uuid.UUID(id), id.String())
}

// UnmarshalText takes what [ParseContentID] takes.
func (id *ContentID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseContentID(string(text))
	return err
}

// ExportID names a data export. Its text form is layer:///exports/UUID. Make one with
// [ParseExportID] or by conversion from a [uuid.UUID]. The zero value stands for a
// missing id.
type ExportID uuid.UUID

// ParseExportID reads an export id: a bare UUID of any case, or layer:///exports/UUID.
// An id of another kind is refused. The error is a [*FieldError] for field
// "export".
func ParseExportID(s string) (ExportID, error) {
	id, err := parseID("export", "exports", s)
	return ExportID(id), err
}

// String gives layer:///exports/UUID, in lower case.
func (id ExportID) String() string { return formatID("exports", uuid.UUID(id)) }

// UUID gives the bare UUID.
func (id ExportID) UUID() uuid.UUID { return uuid.UUID(id) }

// IsZero tells whether the id is missing.
func (id ExportID) IsZero() bool { return id == ExportID{} }

// MarshalText gives what String gives, and nothing for a missing id.
func (id ExportID) MarshalText() ([]byte, error) {
	return marshalID(uuid.UUID(id), id.String())
}

// UnmarshalText takes what [ParseExportID] takes.
func (id *ExportID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseExportID(string(text))
	return err
}
