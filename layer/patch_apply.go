package layer

import (
	"fmt"
	"slices"
)

// Apply gives the object that Layer has after the patch. The object given is
// left alone, and so is everything in it; if an operation fails, none counts.
//
//   - set makes the objects on the way to its property. A value on the way that
//     is no object is an error.
//   - delete of what is absent changes nothing, and makes nothing.
//   - add of what is in the set, and remove of what is not, change nothing. A
//     property that is no list is an error, and so is a value that is an object or
//     a list.
//
// In the result, objects are map[string]any and lists are []any. The error is a
// [*FieldError] for a field such as [2].property.
func (p Patch) Apply(object map[string]any) (map[string]any, error) {
	if len(p) > 0 { // a patch of nothing is no request, but has a result
		if err := p.Validate(); err != nil {
			return nil, err
		}
	}
	result := cloneObject(object)
	for i, op := range p {
		names, err := SplitProperty(op.Property)
		if err == nil {
			err = op.apply(result, names)
		}
		if err != nil {
			var list problems
			list.nest(fmt.Sprintf("[%d]", i), err)
			return nil, list[0]
		}
	}
	return result, nil
}

func (o Operation) apply(root map[string]any, names []string) error {
	parent, err := o.parent(root, names)
	if err != nil || parent == nil {
		return err
	}
	last := names[len(names)-1]
	switch o.Action {
	case ActionSet:
		parent[last] = cloneValue(o.Value)
	case ActionDelete:
		delete(parent, last)
	case ActionAdd, ActionRemove:
		list, ok := parent[last].([]any)
		if !ok {
			return o.wrong("is no list")
		}
		parent[last] = o.change(list)
	}
	return nil
}

// parent finds the object that holds the property. Only set makes what is
// missing on the way; without it there is nothing to delete.
func (o Operation) parent(object map[string]any, names []string) (map[string]any, error) {
	for _, name := range names[:len(names)-1] {
		next, there := object[name]
		if !there {
			switch o.Action {
			case ActionSet:
				next = map[string]any{}
				object[name] = next
			case ActionDelete:
				return nil, nil //nolint:nilnil // nothing there, and nothing wrong
			case ActionAdd, ActionRemove:
				return nil, o.wrong("is no list")
			}
		}
		inner, isObject := next.(map[string]any)
		switch {
		case isObject:
			object = inner
		case o.Action == ActionDelete:
			return nil, nil //nolint:nilnil // as above
		default:
			return nil, o.wrong("leads through " + quote(name) + ", which is no object")
		}
	}
	return object, nil
}

func (o Operation) change(list []any) []any {
	value := cloneValue(o.Value)
	at := slices.Index(list, value)
	switch {
	case o.Action == ActionAdd && at < 0:
		return append(list, value)
	case o.Action == ActionRemove && at >= 0:
		return slices.Delete(list, at, at+1)
	default:
		return list
	}
}

func (o Operation) wrong(problem string) error {
	return &FieldError{Field: "property", Problem: quote(o.Property) + " " + problem}
}

func cloneObject(object map[string]any) map[string]any {
	clone := make(map[string]any, len(object))
	for key, value := range object {
		clone[key] = cloneValue(value)
	}
	return clone
}

func cloneValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return cloneObject(v)
	case Metadata:
		return cloneObject(v)
	case map[string]string:
		return widen(v)
	case []any:
		clone := make([]any, len(v))
		for i, item := range v {
			clone[i] = cloneValue(item)
		}
		return clone
	case []string:
		clone := make([]any, len(v))
		for i, item := range v {
			clone[i] = item
		}
		return clone
	default:
		return value
	}
}
