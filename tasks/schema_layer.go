package tasks

import (
	"encoding/base64"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/layerq/layerq/layer"
)

// layerSchemas holds the schemas of what is Layer's, whose shapes and limits
// no struct tag can say.
var layerSchemas = map[reflect.Type]func() *jsonschema.Schema{
	reflect.TypeFor[Part]():                 partSchema,
	reflect.TypeFor[layer.ConversationID](): idSchema("conversations"),
	reflect.TypeFor[layer.MessageID]():      idSchema("messages"),
	reflect.TypeFor[layer.Sender]():         senderSchema,
	reflect.TypeFor[layer.Metadata]():       metadataRef,
	reflect.TypeFor[layer.Identity]():       identitySchema,
	reflect.TypeFor[layer.Notification]():   notificationSchema,
	reflect.TypeFor[layer.Operation]():      operationSchema,
}

func layerSchema(t reflect.Type) *jsonschema.Schema {
	if schema, ok := layerSchemas[t]; ok {
		return schema()
	}
	return nil
}

// uuidPattern is what a UUID looks like, in either case.
const uuidPattern = "[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"

func idSchema(collection string) func() *jsonschema.Schema {
	return func() *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: "^(layer:///" + collection + "/)?" + uuidPattern + "$"}
	}
}

// maxEncodedBody is the length of the largest body in base64.
var maxEncodedBody = uint64(base64.StdEncoding.EncodedLen(layer.MaxInlineBody))

func partSchema() *jsonschema.Schema {
	s := inlinePartSchema()
	s.Properties.Set("source", text(1, 0, "Where to take the content from: a https: URL, fetched by the worker; a file: URL, read when it is enqueued if it is small; a data: URL."))
	s.Required = []string{"mime_type"}
	s.OneOf = []*jsonschema.Schema{{Required: []string{"body"}}, {Required: []string{"source"}}}
	return s
}

func inlinePartSchema() *jsonschema.Schema {
	encoding := text(0, 0, "base64, or absent for text.")
	encoding.Enum = []any{layer.EncodingBase64}
	s := object(
		member{"mime_type", text(1, 0, "What the content is, such as text/plain.")},
		member{"body", text(1, maxEncodedBody, "The text, or base64 where encoding says so. At most 2048 bytes after decoding.")},
		member{"encoding", encoding},
	)
	s.Required = []string{"mime_type", "body"}
	return s
}

func senderSchema() *jsonschema.Schema {
	s := object(
		member{"user_id", text(1, 0, "A user, who then appears as the sender.")},
		member{"name", text(1, 0, "A service that is no user.")},
	)
	s.OneOf = []*jsonschema.Schema{{Required: []string{"user_id"}}, {Required: []string{"name"}}}
	return s
}

// metadataRef refers to the definition: metadata is nested to any depth.
func metadataRef() *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/metadata"} }

// metadataKeyPattern keeps out the ASCII characters that are no letter, digit,
// "-" or "_". Not every validator knows the classes of Unicode.
const metadataKeyPattern = `^[^\x00-,./:-@\[-\^\x60{-\x7f]+$`

func metadataSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:          "object",
		PropertyNames: &jsonschema.Schema{Pattern: metadataKeyPattern},
		AdditionalProperties: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			text(0, layer.MaxMetadataValue, ""), metadataRef(),
		}},
	}
}

func identitySchema() *jsonschema.Schema {
	flat := &jsonschema.Schema{
		Type:                 "object",
		AdditionalProperties: text(0, 0, ""),
		MaxProperties:        size(layer.MaxIdentityMetadata),
		Description:          "Strings without nesting.",
	}
	s := object(
		member{"display_name", text(1, layer.MaxIdentityName, "")},
		member{"avatar_url", text(0, layer.MaxIdentityAvatarURL, "")},
		member{"first_name", text(0, layer.MaxIdentityName, "")},
		member{"last_name", text(0, layer.MaxIdentityName, "")},
		member{"phone_number", text(0, layer.MaxIdentityPhoneNumber, "")},
		member{"email_address", text(0, layer.MaxIdentityEmailAddress, "")},
		member{"public_key", text(0, 0, "")},
		member{"metadata", flat},
	)
	s.Required = []string{"display_name"}
	return s
}

func notificationSchema() *jsonschema.Schema {
	override := func(required ...string) *jsonschema.Schema {
		members := []member{{"title", text(0, 0, "")}, {"text", text(0, 0, "")}, {"sound", text(0, 0, "")}}
		for _, name := range required {
			members = append([]member{{name, text(1, 0, "")}}, members...)
		}
		s := object(members...)
		s.Required = required
		return s
	}
	recipients := &jsonschema.Schema{
		Description: "Other texts for single users: a list, or an object by user id.",
		AnyOf: []*jsonschema.Schema{
			{Type: "array", Items: override("user_id")},
			{Type: "object", AdditionalProperties: override()},
		},
	}
	args := &jsonschema.Schema{Type: "array", Items: text(0, 0, "")}
	return object(
		member{"title", text(0, 0, "")},
		member{"text", text(0, 0, "Shown to the user; without text and sound the push is silent.")},
		member{"sound", text(0, 0, "")},
		member{"recipients", recipients},
		member{"category", text(0, 0, "")},
		member{"title-loc-key", text(0, 0, "")},
		member{"title-loc-args", args},
		member{"loc-key", text(0, 0, "")},
		member{"loc-args", args},
		member{"action-loc-key", text(0, 0, "")},
		member{"data", &jsonschema.Schema{Type: "object", Description: "Anything, for the receiving app."}},
		member{"apns", object(member{"launch-image", text(0, 0, "")})},
	)
}

func operationSchema() *jsonschema.Schema {
	action := text(0, 0, "add and remove are for sets, set and delete for members of objects.")
	action.Enum = []any{layer.ActionAdd, layer.ActionRemove, layer.ActionSet, layer.ActionDelete}
	s := object(
		member{"operation", action},
		member{"property", text(1, 0, `A name, or a path with dots; \. is a dot in a name.`)},
		member{"value", &jsonschema.Schema{Description: "What to add, remove or set."}},
	)
	s.Required = []string{"operation", "property"}
	return s
}

type member struct {
	name   string
	schema *jsonschema.Schema
}

// object is an object of these members and no others.
func object(members ...member) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, m := range members {
		s.Properties.Set(m.name, m.schema)
	}
	return s
}

// text is a string of least to most characters; zero is no limit.
func text(least, most uint64, description string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", MinLength: size(least), MaxLength: size(most), Description: description}
}

func size(n uint64) *uint64 {
	if n == 0 {
		return nil
	}
	return &n
}
