package tasks

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/layerq/layerq/layer"
)

// strict refuses what encoding/json lets pass silently: unknown members, and,
// by the package's own defaults, members given twice, names in another case
// and invalid UTF-8.
var strict = json.JoinOptions(
	json.RejectUnknownMembers(true),
	json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(decodeOverrides),
		json.UnmarshalFromFunc(decodeAny),
	)),
)

// maxDepth is how deep JSON may be nested before package jsontext gives up.
const maxDepth = 10_000

// decodeStrict decodes doc, which is what root names in messages, into the
// struct behind into. The error is a [layer.FieldError] with the path to what
// is wrong, below prefix; it never quotes a value of doc.
func decodeStrict(doc []byte, root, prefix string, into any) error {
	err := json.Unmarshal(doc, into, strict)
	if err == nil && jsontext.Value(bytes.TrimSpace(doc)).Kind() == '{' {
		return nil
	}
	pointer, problem := explain(doc, err)
	field := joinPath(prefix, fieldPath(doc, pointer))
	if field == "" {
		field = root
	}
	return &layer.FieldError{Field: field, Problem: problem}
}

// explain says where in doc the decoder stopped and what a person can do about
// it. The decoder's own texts quote values and change between releases.
func explain(doc []byte, err error) (jsontext.Pointer, string) {
	if err == nil { // which a null is to a decoder
		return "", "is null, must be an object"
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return syntactic.JSONPointer, syntaxProblem(doc, syntactic)
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		return semantic.JSONPointer, typeProblem(semantic)
	}
	return "", "is not what was expected"
}

func syntaxProblem(doc []byte, err *jsontext.SyntacticError) string {
	switch {
	case len(bytes.TrimSpace(doc)) == 0:
		return "is empty, must be a JSON object"
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "is given twice"
	case !utf8.Valid(doc):
		return fmt.Sprintf("is not valid UTF-8 (byte %d)", err.ByteOffset)
	case strings.Count(string(err.JSONPointer), "/") >= maxDepth:
		return fmt.Sprintf("is nested more than %d levels deep", maxDepth)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("is cut off after byte %d", err.ByteOffset)
	case err.JSONPointer == "" && hasWholeValue(doc):
		return fmt.Sprintf("has something behind the JSON object (byte %d)", err.ByteOffset)
	default:
		return fmt.Sprintf("is not valid JSON (byte %d)", err.ByteOffset)
	}
}

func hasWholeValue(doc []byte) bool {
	_, err := jsontext.NewDecoder(bytes.NewReader(doc)).ReadValue()
	return err == nil
}

func typeProblem(err *json.SemanticError) string {
	if errors.Is(err, json.ErrUnknownName) {
		return "is unknown; known here: " + strings.Join(memberNames(err.GoType), ", ")
	}
	if errors.Is(err, errNumberRange) {
		return errNumberRange.Error()
	}
	want := jsonType(err.GoType)
	switch got := kindName(err.JSONKind); {
	case got == "":
		return "must be " + want
	case got != want:
		return "is " + got + ", must be " + want
	case isTextual(err.GoType):
		return textProblem(err)
	default:
		return "must be a whole number within its range"
	}
}

// textProblem tells what the parser of an id said, without the name that it
// has for the field: the path is better.
func textProblem(err *json.SemanticError) string {
	for _, f := range layer.FieldErrors(err.Err) {
		return f.Problem
	}
	return "is not what was expected"
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func isTextual(t reflect.Type) bool {
	return t != nil && reflect.PointerTo(t).Implements(textUnmarshaler)
}

// jsonType names the JSON type that a Go type is decoded from.
func jsonType(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	if isTextual(t) {
		return kindName('"')
	}
	switch t.Kind() {
	case reflect.String:
		return kindName('"')
	case reflect.Bool:
		return kindName('t')
	case reflect.Slice, reflect.Array:
		return kindName('[')
	case reflect.Struct, reflect.Map:
		return kindName('{')
	case reflect.Pointer:
		return jsonType(t.Elem())
	default:
		return kindName('0')
	}
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	default:
		return ""
	}
}

// memberNames lists the JSON names of a struct's fields, in their order.
func memberNames(t reflect.Type) []string {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
