package layer

import (
	"fmt"
	"slices"
	"strings"
)

// Action is what an [Operation] does.
type Action string

// The actions of Layer-Patch. Set and delete are for members of objects, add and
// remove for sets, such as participants.
const (
	ActionAdd    Action = "add"    // put a value into a set; nothing happens if it is there
	ActionRemove Action = "remove" // take a value out of a set; nothing happens if it is absent
	ActionSet    Action = "set"    // set a member, making the objects on the way to it
	ActionDelete Action = "delete" // delete a member; nothing happens if it is absent
)

// Patch is a list of Layer-Patch operations, applied in order. Build it by
// chaining:
//
//	layer.Patch{}.Add("participants", "chen").Set("metadata.pier.number", "8")
//
// An operation has the same effect twice as once, as long as nobody else writes
// in between. So has a patch, unless it replaces an object that it went through.
//
// Layer docs: Platform API, Layer Patch.
type Patch []Operation

// Operation is one step of a [Patch].
type Operation struct {
	Action Action `json:"operation"`
	// Property is a name, or a path with dots. "\." is a dot in a name.
	Property string `json:"property"`
	// Value is what to add, remove or set; nil to delete.
	Value any `json:"value,omitzero"`
}

// Set appends: set a member of an object. On a whole object it replaces all of it.
func (p Patch) Set(property string, value any) Patch {
	return append(slices.Clip(p), Operation{Action: ActionSet, Property: property, Value: value})
}

// Delete appends: delete a member of an object.
func (p Patch) Delete(property string) Patch {
	return append(slices.Clip(p), Operation{Action: ActionDelete, Property: property})
}

// Add appends: put values into a set, one operation each.
func (p Patch) Add(property string, values ...string) Patch {
	return p.each(ActionAdd, property, values)
}

// Remove appends: take values out of a set, one operation each.
func (p Patch) Remove(property string, values ...string) Patch {
	return p.each(ActionRemove, property, values)
}

func (p Patch) each(action Action, property string, values []string) Patch {
	p = slices.Clip(p)
	for _, value := range values {
		p = append(p, Operation{Action: action, Property: property, Value: value})
	}
	return p
}

// PropertyPath joins names to a property, escaping the dots in them.
func PropertyPath(names ...string) string {
	escaped := make([]string, len(names))
	for i, name := range names {
		escaped[i] = strings.ReplaceAll(name, ".", `\.`)
	}
	return strings.Join(escaped, ".")
}

// SplitProperty takes a property apart into names: at each dot that has no
// backslash before it. Empty names are refused, and more than 500.
func SplitProperty(property string) ([]string, error) {
	var (
		names []string
		name  strings.Builder
	)
	for i := 0; i < len(property); i++ {
		switch {
		case strings.HasPrefix(property[i:], `\.`):
			name.WriteByte('.')
			i++
		case property[i] == '.':
			names = append(names, name.String())
			name.Reset()
		default:
			name.WriteByte(property[i])
		}
	}
	names = append(names, name.String())
	problem := ""
	switch {
	case slices.Contains(names, ""):
		problem = "has an empty name"
	case len(names) > maxNesting:
		problem = fmt.Sprintf("has %d names, more than %d", len(names), maxNesting)
	default:
		return names, nil
	}
	return nil, &FieldError{Field: "property", Problem: quote(property) + " " + problem}
}

// Validate checks the form of each operation: a known action, a property, and a
// value where one is needed. Whether a resource has that property, and takes that value, is
// for ValidateForConversation and its siblings, or Layer, to say.
func (p Patch) Validate() error {
	return p.validate(func(*problems, Operation, []string) {})
}

// validate checks the form, and what is right by the form by another rule.
func (p Patch) validate(rule func(list *problems, op Operation, names []string)) error {
	var all problems
	if len(p) == 0 {
		all.add("", "has no operations")
	}
	for i, op := range p {
		var list problems
		if names, ok := op.validate(&list); ok {
			rule(&list, op, names)
		}
		all.nest(fmt.Sprintf("[%d]", i), list.err())
	}
	return all.err()
}

func (o Operation) validate(list *problems) ([]string, bool) {
	before := len(*list)
	names, err := SplitProperty(o.Property)
	if list.text("property", o.Property) {
		list.nest("", err)
	}
	switch o.Action {
	case ActionSet:
		if o.Value == nil {
			list.add("value", "is missing or null")
		}
	case ActionDelete:
		if o.Value != nil {
			list.add("value", "is of no use to delete; leave it out")
		}
	case ActionAdd, ActionRemove:
		if !isScalar(o.Value) {
			list.add("value", "is %s, want a single value", aKind(o.Value))
		}
	case "":
		list.add("operation", "is missing or empty")
	default:
		list.add("operation", "is %s, want add, remove, set or delete", quote(string(o.Action)))
	}
	return names, len(*list) == before
}

// isScalar tells what can be in a set: anything but objects, lists and null.
func isScalar(value any) bool {
	switch jsonKind(value) {
	case "string", "number", "boolean":
		return true
	default:
		return false
	}
}
