package layer

import (
	"strings"

	"github.com/google/uuid"
)

// AppID names an application. Its text form is layer:///apps/UUID; only the
// UUID goes into paths. Make one with [ParseAppID] or by conversion from a
// [uuid.UUID]. The zero value stands for a missing id.
type AppID uuid.UUID

// ParseAppID reads an app id: a bare UUID of any case, or layer:///apps/UUID,
// layer:///apps/staging/UUID, layer:///apps/production/UUID. The error is a
// [*FieldError] for field "app".
//
// Layer docs: Platform API, introduction.
func ParseAppID(s string) (AppID, error) {
	const want = "want a UUID or layer:///apps/staging/UUID"
	bare := s
	if rest, isURL := strings.CutPrefix(s, scheme); isURL {
		found, tail, _ := strings.Cut(rest, "/")
		if found != "apps" {
			return AppID{}, wrongKind("app", "apps", found, s)
		}
		for _, environment := range []string{"staging/", "production/"} {
			if uuidPart, cut := strings.CutPrefix(tail, environment); cut {
				tail = uuidPart
				break
			}
		}
		bare = tail
	}
	id, err := parseUUID("app", bare, s, want)
	return AppID(id), err
}

// String gives layer:///apps/UUID, in lower case.
func (id AppID) String() string { return formatID("apps", uuid.UUID(id)) }

// UUID gives the bare UUID.
func (id AppID) UUID() uuid.UUID { return uuid.UUID(id) }

// IsZero tells whether the id is missing.
func (id AppID) IsZero() bool { return id == AppID{} }

// MarshalText gives what String gives, and nothing for a missing id.
func (id AppID) MarshalText() ([]byte, error) { return marshalID(uuid.UUID(id), id.String()) }

// UnmarshalText takes what [ParseAppID] takes.
func (id *AppID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseAppID(string(text))
	return err
}
