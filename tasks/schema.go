package tasks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"github.com/invopop/jsonschema"
)

// TypeInfo describes a task type to people and to other programs.
type TypeInfo struct {
	// Type is the task type, such as "message:send".
	Type string `json:"type"`
	// Doc says in one line what it does.
	Doc string `json:"doc"`
	// Schema is the JSON Schema (draft 2020-12) of the args.
	Schema json.RawMessage `json:"schema"`
}

// Types returns every task type there is, in a fixed order. The schemas are a
// help for editors and generators; what a task is checked by is its Validate,
// which knows more, such as bytes after base64 decoding.
func Types() []TypeInfo { return append([]TypeInfo(nil), typeInfos()...) }

var typeInfos = sync.OnceValue(func() []TypeInfo {
	infos := make([]TypeInfo, len(types))
	for i, k := range types {
		infos[i] = TypeInfo{Type: k.name, Doc: k.doc, Schema: schemaOf(k)}
	}
	return infos
})

// schemaExtender is a task that takes less than the types of its args could hold.
type schemaExtender interface {
	extendSchema(s *jsonschema.Schema)
}

func schemaOf(k kind) json.RawMessage {
	r := jsonschema.Reflector{Anonymous: true, DoNotReference: true, Mapper: layerSchema}
	s := r.ReflectFromType(k.goType)
	s.Title = k.name
	s.Description = k.doc
	if e, ok := reflect.TypeAssert[schemaExtender](reflect.Zero(k.goType)); ok {
		e.extendSchema(s)
	}
	if b := marshalSchema(k, s); !bytes.Contains(b, []byte(metadataRef().Ref)) {
		return b
	}
	s.Definitions = jsonschema.Definitions{"metadata": metadataSchema()}
	return marshalSchema(k, s)
}

func marshalSchema(k kind, s *jsonschema.Schema) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		// Only a type of ours that no test has ever seen can do this.
		panic(fmt.Sprintf("tasks: schema of %s: %v", k.name, err))
	}
	return b
}
