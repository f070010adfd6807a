package tasks

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/layerq/layerq/layer"
)

// TypeUpdateIdentity is the type of [UpdateIdentity]. Queued payloads outlive
// deploys: it is never renamed.
const TypeUpdateIdentity = "identity:update"

// UpdateIdentity sets single properties of an identity that exists, and leaves
// the others alone.
//
// The properties are those of [layer.Identity] by their JSON names. Metadata is
// replaced whole as "metadata", or key by key as "metadata.KEY". A null (nil)
// deletes the property.
//
// Performed again it sets the same again. What another writer changed in
// between is changed back.
//
// Layer docs: Platform API, identities, "Updating an identity".
type UpdateIdentity struct {
	User       string         `json:"user" jsonschema:"minLength=1" jsonschema_description:"The user whose identity it is."`
	Properties map[string]any `json:"properties" jsonschema_description:"What to set, by name; metadata.KEY for a single key of the metadata; null deletes."`
}

// Type returns [TypeUpdateIdentity].
func (UpdateIdentity) Type() string { return TypeUpdateIdentity }

// Validate reports every property that an identity does not have, or not with
// this value.
func (t UpdateIdentity) Validate() error {
	problems := []error{layer.ValidateUserID("user", t.User)}
	if len(t.Properties) == 0 {
		problems = append(problems, wrong("properties", "is missing or empty"))
	}
	for _, name := range t.names() {
		for _, f := range layer.FieldErrors(t.operation(name).ValidateForIdentity()) {
			// The patch names its operation, which a caller has never seen.
			_, inside, _ := strings.Cut(strings.TrimPrefix(f.Field, "[0]."), ".")
			problems = append(problems, &layer.FieldError{Field: joinPath(propertyField(name), inside), Problem: f.Problem})
		}
	}
	return errors.Join(problems...)
}

// names returns the properties in a fixed order: a patch is applied in order.
func (t UpdateIdentity) names() []string { return slices.Sorted(maps.Keys(t.Properties)) }

func (t UpdateIdentity) operation(name string) layer.Patch {
	if value := t.Properties[name]; value != nil {
		return layer.Patch{}.Set(name, value)
	}
	return layer.Patch{}.Delete(name)
}

func propertyField(name string) string {
	var path strings.Builder
	path.WriteString("properties")
	for part := range strings.SplitSeq(name, ".") {
		writeName(&path, part)
	}
	return path.String()
}

func (t UpdateIdentity) lane() (kind, of string) { return "user", t.User }

func (t UpdateIdentity) perform(ctx context.Context, api *layer.Client, _ dedupe) (Result, error) {
	var patch layer.Patch
	for _, name := range t.names() {
		patch = append(patch, t.operation(name)...)
	}
	return Result{}, api.Identities.Edit(ctx, t.User, patch)
}
