package layer

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// kinds are the first path elements of layer:/// URLs and what they name. They
// let a wrong id say what it is instead of only what it is not.
var kinds = map[string]string{
	"apps":          "app",
	"conversations": "conversation",
	"messages":      "message",
	"content":       "content",
	"announcements": "announcement",
	"exports":       "export",
	"identities":    "identity",
}

const scheme = "layer:///"

// parseID reads s as a bare UUID or as scheme + collection + "/" + UUID. The
// error is a [*FieldError] whose field is the kind of id that was wanted.
func parseID(kind, collection, s string) (uuid.UUID, error) {
	bare := s
	if rest, isURL := strings.CutPrefix(s, scheme); isURL {
		found, tail, _ := strings.Cut(rest, "/")
		if found != collection {
			return uuid.Nil, wrongKind(kind, collection, found, s)
		}
		bare = tail
	}
	return parseUUID(kind, bare, s, "want a UUID or "+scheme+collection+"/UUID")
}

// parseUUID takes 8-4-4-4-12 hexadecimal digits of any case, and nothing else
// that [uuid.Parse] takes (braces, urn:uuid:, no dashes). The nil UUID is
// refused: it names nothing, and stands for a missing id in this package.
func parseUUID(kind, bare, whole, want string) (uuid.UUID, error) {
	if whole == "" {
		return uuid.Nil, &FieldError{Field: kind, Problem: "is empty; " + want}
	}
	if len(bare) != 36 {
		return uuid.Nil, &FieldError{Field: kind, Problem: quote(whole) + " is no " + kind + " id; " + want}
	}
	id, err := uuid.Parse(bare)
	if err != nil {
		return uuid.Nil, &FieldError{Field: kind, Problem: quote(whole) + " is no " + kind + " id; " + want}
	}
	if id == uuid.Nil {
		return uuid.Nil, &FieldError{Field: kind, Problem: "is the nil UUID, which names nothing; " + want}
	}
	return id, nil
}

func wrongKind(kind, collection, found, s string) error {
	problem := quote(s) + " is no " + kind + " id"
	if name, known := kinds[found]; known {
		problem = quote(s) + " is the id of another kind (" + name + ")"
	}
	return &FieldError{Field: kind, Problem: problem + "; want a UUID or " + scheme + collection + "/UUID"}
}

// quote shows a value in an error text: escaped, and never longer than a line.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "..."
	}
	return strconv.Quote(s)
}

func formatID(collection string, id uuid.UUID) string {
	return scheme + collection + "/" + id.String()
}

// marshalID leaves a missing id empty, so that it can not be mistaken for one.
func marshalID(id uuid.UUID, text string) ([]byte, error) {
	if id == uuid.Nil {
		return []byte{}, nil
	}
	return []byte(text), nil
}
