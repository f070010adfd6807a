package layertest

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Rule is a way of misbehaving. What it leaves out matches every request; the
// options may be combined.
type Rule struct {
	// Match chooses requests. Both are regular expressions: Method must match
	// whole, Path anywhere in the escaped path.
	Match Match `json:"match,omitzero"`

	// Probability is how often a matching request is hit, from 0 to 1.
	// Defaults to 1.
	Probability *float64 `json:"probability,omitempty"`

	// Status is answered in place of the real answer, with the error that the
	// service had for it. Code names another one of its errors, by id.
	Status int    `json:"status,omitzero"`
	Code   string `json:"code,omitzero"`

	// AfterCommit lets the request take effect first: the case that makes
	// naive retries send twice.
	AfterCommit bool `json:"after_commit,omitzero"`

	// Latency delays: the request before it takes effect or, with AfterCommit,
	// the answer. A rule that has nothing but latency leaves room for the rules
	// after it.
	Latency Duration `json:"latency,omitzero"`

	// DropConnection cuts the connection in place of an answer.
	DropConnection bool `json:"drop_connection,omitzero"`

	// Hang never answers: the connection stays until the caller leaves.
	Hang bool `json:"hang,omitzero"`

	// HalfBody cuts the connection in the middle of the answer's body.
	HalfBody bool `json:"half_body,omitzero"`

	// SlowBody stretches the answer's body over that time.
	SlowBody Duration `json:"slow_body,omitzero"`

	// RetryAfter adds that header to the answer: whole seconds, rounded up, or
	// with RetryAfterDate the date.
	RetryAfter     Duration `json:"retry_after,omitzero"`
	RetryAfterDate bool     `json:"retry_after_date,omitzero"`

	// ContentType and Body replace those of the answer.
	ContentType string  `json:"content_type,omitzero"`
	Body        *string `json:"body,omitempty"`

	// Count is how many requests are hit before the rule is spent. Defaults
	// to no end.
	Count *int `json:"count,omitempty"`
}

// Match is the condition of a [Rule].
type Match struct {
	Method string `json:"method,omitzero"`
	Path   string `json:"path,omitzero"`
}

// Duration is a [time.Duration] that reads "200ms" in JSON.
type Duration time.Duration

// MarshalText writes the form of Go durations.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a Go duration that is not negative.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration such as 200ms", b)
	}
	*d = Duration(v)
	return nil
}

// ParseRules reads the body of PUT /_emulator/faults: an object with the
// member rules, or a bare array. A member that a rule does not have is an error.
func ParseRules(body []byte) ([]Rule, error) {
	var rules []Rule
	strict := json.RejectUnknownMembers(true)
	if trimmed := strings.TrimLeft(string(body), " \t\r\n"); strings.HasPrefix(trimmed, "[") {
		if err := json.Unmarshal(body, &rules, strict); err != nil {
			return nil, wrongJSON(err)
		}
	} else {
		var o struct {
			Rules *[]Rule `json:"rules"`
		}
		if err := json.Unmarshal(body, &o, strict); err != nil {
			return nil, wrongJSON(err)
		}
		if o.Rules == nil {
			return nil, errors.New("rules: is missing; want {\"rules\":[...]} or an array of rules")
		}
		rules = *o.Rules
	}
	for i, r := range rules {
		if _, err := compile(r); err != nil {
			return nil, fmt.Errorf("rules[%d].%w", i, err)
		}
	}
	return rules, nil
}

// wrongJSON says where in the body an error is, in the words of its reader.
func wrongJSON(err error) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return fmt.Errorf("not valid JSON: %w", err)
	}
	where := cmp.Or(field(semantic.JSONPointer), "the body")
	switch {
	case errors.Is(err, json.ErrUnknownName):
		return fmt.Errorf("%s: unknown field", where)
	case semantic.Err != nil:
		return fmt.Errorf("%s: %w", where, semantic.Err)
	default:
		return fmt.Errorf("%s: a JSON %s is not allowed here", where, semantic.JSONKind)
	}
}

// field writes a JSON pointer the way people do: rules[0].match.path.
func field(pointer jsontext.Pointer) string {
	var b strings.Builder
	for name := range pointer.Tokens() {
		switch _, err := strconv.Atoi(name); {
		case err == nil && b.Len() == 0: // a bare array
			b.WriteString("rules[" + name + "]")
		case err == nil:
			b.WriteString("[" + name + "]")
		case b.Len() == 0:
			b.WriteString(name)
		default:
			b.WriteString("." + name)
		}
	}
	return b.String()
}

// fault is a rule in use.
type fault struct {
	Rule
	method *regexp.Regexp
	path   *regexp.Regexp
	left   int // -1 is no end
}

func compile(r Rule) (*fault, error) {
	f := &fault{Rule: r, left: -1}
	var err error
	if f.method, err = regexp.Compile("^(?:" + r.Match.Method + ")$"); err != nil {
		return nil, fmt.Errorf("match.method: %q is not a regular expression", r.Match.Method)
	}
	if f.path, err = regexp.Compile(r.Match.Path); err != nil {
		return nil, fmt.Errorf("match.path: %q is not a regular expression", r.Match.Path)
	}
	if r.Match.Method == "" {
		f.method = regexp.MustCompile("")
	}
	if p := r.Probability; p != nil && (*p < 0 || *p > 1) {
		return nil, fmt.Errorf("probability: %v is not between 0 and 1", *p)
	}
	if r.Status != 0 && (r.Status < 200 || r.Status > 599) {
		return nil, fmt.Errorf("status: %d is not between 200 and 599", r.Status)
	}
	if r.Count != nil {
		if f.left = *r.Count; f.left < 1 {
			return nil, fmt.Errorf("count: %d is not 1 or more", f.left)
		}
	}
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.id == r.Code })
	switch {
	case r.Code == "":
	case i < 0:
		return nil, fmt.Errorf("code: %q is none of the service's error ids", r.Code)
	case f.Status == 0:
		f.Status = kinds[i].status
	}
	return f, nil
}

// ends says whether the rule does more than delay.
func (f *fault) ends() bool {
	return f.Status != 0 || f.DropConnection || f.Hang || f.HalfBody || f.SlowBody > 0 ||
		f.RetryAfter > 0 || f.ContentType != "" || f.Body != nil
}

// faults are the rules in force, tried in order.
type faults struct {
	mu     sync.Mutex
	rules  []*fault
	random *randomness
}

// plan is what the rules have in mind for one request.
type plan struct {
	before time.Duration // delay before the request takes effect
	after  time.Duration // delay before the answer
	*fault               // the rule that shapes the answer, or nil
}

func (f *faults) set(rules []*fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = rules
}

func (f *faults) add(rules ...*fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, rules...)
}

// list returns the rules that are not spent, with what is left of their count.
func (f *faults) list() []Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Rule, 0, len(f.rules))
	for _, rule := range f.rules {
		if rule.left == 0 {
			continue
		}
		r := rule.Rule
		if rule.left > 0 {
			r.Count = new(rule.left)
		}
		out = append(out, r)
	}
	return out
}

// choose decides what happens to a request. Delays add up; the first rule
// that does more than delay is the last one asked.
func (f *faults) choose(method, path string) plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	var p plan
	for _, rule := range f.rules {
		if rule.left == 0 || !rule.method.MatchString(method) || !rule.path.MatchString(path) {
			continue
		}
		if rule.Probability != nil && !f.random.roll(*rule.Probability) {
			continue
		}
		if rule.left > 0 {
			rule.left--
		}
		if rule.AfterCommit {
			p.after += time.Duration(rule.Latency)
		} else {
			p.before += time.Duration(rule.Latency)
		}
		if rule.ends() {
			p.fault = rule
			break
		}
	}
	return p
}

func compileAll(rules []Rule) ([]*fault, error) {
	out := make([]*fault, len(rules))
	for i, r := range rules {
		var err error
		if out[i], err = compile(r); err != nil {
			return nil, fmt.Errorf("rules[%d].%w", i, err)
		}
	}
	return out, nil
}
