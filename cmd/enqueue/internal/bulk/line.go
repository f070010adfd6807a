package bulk

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/layerq/layerq/cmd/enqueue/internal/when"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// object is a line of the stream.
type object struct {
	Type    *string        `json:"type"`
	Args    jsontext.Value `json:"args"`
	Key     *string        `json:"key"`
	ID      *string        `json:"id"`
	Queue   *string        `json:"queue"`
	At      *string        `json:"at"`
	Expires *string        `json:"expires"`
}

const members = "type, args, key, id, queue, at, expires"

// parser makes requests of lines.
type parser struct {
	defaults []tasks.Option
	now      func() time.Time
	places   places
}

// parse makes a request of a line, which is not empty. The error says by field what is wrong.
func (p *parser) parse(text []byte) (tasks.Request, error) {
	if text[0] != '{' {
		return tasks.Request{}, errors.New("is no JSON object")
	}
	var o object
	if err := json.Unmarshal(text, &o, json.RejectUnknownMembers(true)); err != nil {
		return tasks.Request{}, explain(text, err)
	}
	if o.Type == nil || *o.Type == "" {
		return tasks.Request{}, errors.New("type: is missing")
	}
	if o.Args == nil {
		return tasks.Request{}, errors.New("args: is missing")
	}
	task, err := tasks.New(*o.Type, o.Args)
	if err != nil {
		return tasks.Request{}, below("args", err)
	}
	opts, err := o.options(p.defaults, p.now())
	if err != nil {
		return tasks.Request{}, err
	}
	if o.Key == nil && o.ID == nil {
		key, err := p.places.key(&o, task)
		if err != nil {
			return tasks.Request{}, below("args", err)
		}
		opts = append(opts, tasks.Key(key))
	}
	return tasks.Request{Task: task, Options: opts}, nil
}

// options puts what the line says over the defaults.
func (o *object) options(defaults []tasks.Option, now time.Time) ([]tasks.Option, error) {
	opts := append(make([]tasks.Option, 0, len(defaults)+5), defaults...)
	if o.Key != nil {
		opts = append(opts, tasks.Key(*o.Key))
	}
	if o.ID != nil {
		id, err := tasks.ParseID(*o.ID)
		if err != nil {
			return nil, below("", err)
		}
		opts = append(opts, tasks.ID(id))
	}
	if o.Queue != nil {
		opts = append(opts, tasks.Queue(*o.Queue))
	}
	if o.At != nil {
		at, err := when.Time(*o.At)
		if err != nil {
			return nil, fmt.Errorf("at: %w", err)
		}
		opts = append(opts, tasks.At(at))
	}
	if o.Expires != nil {
		expires, err := when.End(*o.Expires, now)
		if err != nil {
			return nil, fmt.Errorf("expires: %w", err)
		}
		opts = append(opts, tasks.Expires(expires))
	}
	return opts, nil
}

// explain says where a line is no object with these members, and why.
func explain(text []byte, err error) error {
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		field := path(syntactic.JSONPointer)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return errors.New(field + "is given twice")
		}
		return fmt.Errorf("%sis no valid JSON in UTF-8 (byte %d of %d)", field, syntactic.ByteOffset, len(text))
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		field := path(semantic.JSONPointer)
		switch {
		case errors.Is(err, json.ErrUnknownName):
			return errors.New(field + "is unknown; known are " + members)
		case field == "":
			return errors.New("is no JSON object")
		}
		return errors.New(field + "is no string")
	}
	return errors.New("is no JSON object")
}

// path writes a JSON pointer as the beginning of a message: "args.parts[0]: ".
func path(pointer jsontext.Pointer) string {
	const deepest = 8 // a line of open brackets alone must not fill the screen
	var b strings.Builder
	level := 0
	for token := range pointer.Tokens() {
		if level++; level > deepest {
			b.WriteString("...")
			break
		}
		switch {
		case strings.Trim(token, "0123456789") == "" && token != "":
			b.WriteString("[" + token + "]")
		case level > 1:
			b.WriteString("." + plain(token))
		default:
			b.WriteString(plain(token))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return b.String() + ": "
}

// plain quotes a member's name that is more than a word.
func plain(name string) string {
	const longest = 64
	if len(name) > longest || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return fmt.Sprintf("%q", strings.ToValidUTF8(name[:min(len(name), longest)], ""))
	}
	return name
}

// below lists the fields of an error in one line, those of a task under prefix.
func below(prefix string, err error) error {
	invalid, ok := errors.AsType[*tasks.InvalidError](err)
	if !ok {
		return err
	}
	var texts []string
	for _, f := range invalid.Fields() {
		texts = append(texts, fieldName(prefix, invalid, f)+f.Problem)
	}
	if len(texts) == 0 {
		return err
	}
	return errors.New(strings.Join(texts, "; "))
}

func fieldName(prefix string, invalid *tasks.InvalidError, f *layer.FieldError) string {
	switch {
	case prefix == "" || f.Field == prefix || invalid.Type == "":
		return f.Field + ": "
	case strings.HasPrefix(f.Field, "["):
		return prefix + f.Field + ": "
	}
	return prefix + "." + f.Field + ": "
}
