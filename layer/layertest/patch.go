package layertest

import "strings"

// opKind is what an operation of a Layer Patch does.
type opKind string

const (
	opAdd    opKind = "add"
	opRemove opKind = "remove"
	opSet    opKind = "set"
	opDelete opKind = "delete"
)

// operation is one step of a Layer Patch.
type operation struct {
	kind     opKind
	property string
	path     []string // property at its dots
	value    any
}

// decodePatch reads the body of a PATCH: an array of operations, all of them
// well-formed. Whether a resource takes them is its own affair.
//
// Layer docs: Layer-Patch.
func (c *call) decodePatch() ([]operation, *failure) {
	list, f := c.decodeArray()
	if f != nil {
		return nil, f
	}
	ops := make([]operation, len(list))
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, badRequest("Each operation of a Layer Patch must be a JSON object.")
		}
		if ops[i], f = parseOperation(m); f != nil {
			return nil, f
		}
	}
	return ops, nil
}

func parseOperation(o object) (operation, *failure) {
	for _, key := range []string{"operation", "property"} {
		if !o.has(key) {
			return operation{}, missing(key)
		}
	}
	kind, f := o.text("operation", "operation")
	if f != nil {
		return operation{}, f
	}
	op := operation{kind: opKind(kind), value: o["value"]}
	if op.property, f = o.text("property", "property"); f != nil {
		return operation{}, f
	}
	if op.path = splitPath(op.property); len(op.path) > maxNesting {
		return operation{}, invalid("property", "it has too many names")
	}
	switch op.kind {
	case opAdd, opRemove, opSet:
		if !o.has("value") {
			return operation{}, missing("value")
		}
	case opDelete:
	default:
		return operation{}, invalid("operation", "it must be add, remove, set or delete")
	}
	return op, nil
}

// splitPath splits a property at its dots; a backslash makes a dot part of
// the name.
func splitPath(property string) []string {
	var path []string
	var name strings.Builder
	for i := 0; i < len(property); i++ {
		switch {
		case property[i] == '\\' && i+1 < len(property) && property[i+1] == '.':
			name.WriteByte('.')
			i++
		case property[i] == '.':
			path = append(path, name.String())
			name.Reset()
		default:
			name.WriteByte(property[i])
		}
	}
	return append(path, name.String())
}

func (op operation) wrong(problem string) *failure { return invalid(op.property, problem) }

// applyTo applies a set or delete to the object that the property's first name
// stands for, and returns what that is then: root, changed in place, or another.
func (op operation) applyTo(root map[string]any) (map[string]any, *failure) {
	if len(op.path) == 1 {
		if op.kind == opDelete {
			return map[string]any{}, nil
		}
		m, ok := op.value.(map[string]any)
		if !ok {
			return nil, op.wrong("it must be an object")
		}
		return m, nil
	}
	if root == nil {
		root = map[string]any{}
	}
	parent := root
	last := len(op.path) - 1
	for _, name := range op.path[1:last] {
		child, isObject := parent[name].(map[string]any)
		if _, there := parent[name]; !isObject {
			switch {
			case op.kind == opDelete:
				return root, nil // what is not there need not go
			case there:
				return nil, op.wrong("it leads through a value that is no object")
			}
			child = map[string]any{}
			parent[name] = child
		}
		parent = child
	}
	if op.kind == opDelete {
		delete(parent, op.path[last])
	} else {
		parent[op.path[last]] = op.value
	}
	return root, nil
}
