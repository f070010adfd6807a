package layer

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// FieldError says what is wrong with one field of a request, before anything
// was sent. Field is a path of JSON names, such as parts[1].body.
//
// The Validate methods of this package return errors.Join of these; get them
// back with [FieldErrors], or the first one with errors.As.
type FieldError struct {
	Field   string
	Problem string
}

// Error gives "FIELD: PROBLEM".
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// FieldErrors collects every [*FieldError] in the tree of err, in order.
func FieldErrors(err error) []*FieldError {
	switch e := err.(type) { //nolint:errorlint // this walks the whole tree, wrappers included
	case nil:
		return nil
	case *FieldError:
		return []*FieldError{e}
	case interface{ Unwrap() []error }:
		var all []*FieldError
		for _, inner := range e.Unwrap() {
			all = append(all, FieldErrors(inner)...)
		}
		return all
	default:
		return FieldErrors(errors.Unwrap(err))
	}
}

// problems collects field errors in the order of the checks.
type problems []error

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)})
}

// nest takes over the field errors of a part of the value, which know their
// path from there on only.
func (p *problems) nest(field string, err error) {
	for _, inner := range FieldErrors(err) {
		*p = append(*p, &FieldError{Field: joinField(field, inner.Field), Problem: inner.Problem})
	}
}

func (p problems) err() error { return errors.Join(p...) }

func joinField(outer, inner string) string {
	if outer == "" || inner == "" || strings.HasPrefix(inner, "[") {
		return outer + inner
	}
	return outer + "." + inner
}

// text refuses what no string of the API may hold: invalid UTF-8 would be
// replaced silently on the way, and NUL is refused by too many stores.
func (p *problems) text(field, value string) bool {
	switch {
	case !utf8.ValidString(value):
		p.add(field, "is not valid UTF-8")
	case strings.ContainsRune(value, 0):
		p.add(field, "contains a NUL character")
	default:
		return true
	}
	return false
}

// required is text that may not be empty either.
func (p *problems) required(field, value string) bool {
	if value == "" {
		p.add(field, "is missing or empty")
		return false
	}
	return p.text(field, value)
}

// characters is text of at most most characters, as Layer counts identities.
func (p *problems) characters(field, value string, most int) {
	if p.text(field, value) && utf8.RuneCountInString(value) > most {
		p.add(field, "is %d characters, Layer takes at most %d", utf8.RuneCountInString(value), most)
	}
}

// users checks a list of user ids that must name somebody. most 0 is no limit.
func (p *problems) users(field string, ids []string, most int) {
	if len(ids) == 0 {
		p.add(field, "is missing or empty")
	}
	if most > 0 && len(ids) > most {
		p.add(field, "has %d entries, Layer takes at most %d", len(ids), most)
	}
	for i, id := range ids {
		p.required(fmt.Sprintf("%s[%d]", field, i), id)
	}
}

// ValidateUserID checks a user id: any text that is not empty, is valid UTF-8
// and holds no NUL. The error is a [*FieldError] for the named field.
func ValidateUserID(field, id string) error {
	var p problems
	p.required(field, id)
	return p.err()
}

// decodeBase64 is what Layer does with a part's body: the standard alphabet
// with padding, line breaks ignored.
func decodeBase64(s string) ([]byte, error) { return base64.StdEncoding.DecodeString(s) }

// missingID is the error of a zero id.
func missingID(field string, id interface{ IsZero() bool }) error {
	if id.IsZero() {
		return &FieldError{Field: field, Problem: "is missing"}
	}
	return nil
}

// inField names the field that a value is in.
func inField(field string, err error) error {
	var p problems
	p.nest(field, err)
	return p.err()
}

// refuse joins what is wrong with a call before it is made; nil if nothing is.
func refuse(operation string, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return &refusal{operation: operation, wrong: err}
	}
	return nil
}

// refusal is everything that is wrong with a call, in one line.
type refusal struct {
	operation string
	wrong     error
}

func (r *refusal) Error() string {
	return "layer: " + r.operation + ": " + strings.ReplaceAll(r.wrong.Error(), "\n", "; ")
}

func (r *refusal) Unwrap() error { return r.wrong }
