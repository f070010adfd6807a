package layer

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

const (
	// shortestPrivate is in bytes: a shorter text is a piece of any sentence.
	shortestPrivate = 4
	// wholeWords is the length below which a text counts only as whole words.
	wholeWords = 8
	// privateRun is what a message may not have in common with a longer text.
	privateRun = 24
	// mostCompared bounds the work on a message, of which errors show much less.
	mostCompared = 4 << 10
)

// idText is what requests call things by, in the form that Layer gives them.
var idText = regexp.MustCompile(`^(layer:///([a-z]{1,20}/){1,3})?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(/parts/[0-9]{1,4})?$`)

// fixed names the members whose strings are words of the API.
var fixed = map[string]bool{"mime_type": true, "encoding": true, "operation": true, "property": true, "type": true}

// free names the members below which names are not the API's.
var free = map[string]bool{"metadata": true, "value": true, "data": true}

// words are those of Layer's own sentences that somebody may also have sent:
// repeating one tells nothing. The names of the request's members are others.
var words = func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(`access already badge blocked body been content conversation deleted denied does endpoint error exist
		exists failed found header identity invalid limit many member message method missing must name none notification null object
		operation participant participants parts property rate recipients referenced request required resource sender server service
		should string suspended text that the this title token type unavailable unknown user users value with`) {
		set[word] = true
	}
	return set
}()

// repeats tells whether a message of the server has something in it that
// was sent: any string of the body but ids and words of the API.
func (c *call) repeats(message string) bool {
	message = strings.ToLower(message[:min(len(message), mostCompared)])
	if message == "" || len(c.encoded) == 0 {
		return false
	}
	var body any
	if json.Unmarshal(c.encoded, &body) != nil {
		return false
	}
	names := map[string]bool{}
	texts := stringsIn(nil, body, "", names)
	for _, text := range texts {
		if idText.MatchString(text) {
			continue
		}
		text = strings.ToLower(text)
		if len(text) < shortestPrivate || words[text] || names[text] {
			continue
		}
		if hasText(message, text) || hasText(message, escaped(text)) {
			return true
		}
	}
	return false
}

// stringsIn appends the strings of a JSON value, and collects the API's names in it.
func stringsIn(texts []string, v any, name string, names map[string]bool) []string {
	switch v := v.(type) {
	case map[string]any:
		for member, value := range v {
			inside := member
			switch {
			case free[name]:
				inside = name
			default:
				names[member] = true
			}
			texts = stringsIn(texts, value, inside, names)
		}
	case []any:
		for _, value := range v {
			texts = stringsIn(texts, value, name, names)
		}
	case string:
		if !fixed[name] {
			texts = append(texts, v)
		}
	}
	return texts
}

// hasText tells whether message repeats text, or a good piece of a longer one.
func hasText(message, text string) bool {
	if len(text) < wholeWords {
		return hasWords(message, text)
	}
	if len(text) <= privateRun {
		return strings.Contains(message, text)
	}
	for i := 0; i+privateRun <= len(message); i++ {
		if strings.Contains(text, message[i:i+privateRun]) {
			return true
		}
	}
	return false
}

// hasWords finds text where it is no part of a longer word.
func hasWords(message, text string) bool {
	for from := 0; ; {
		i := strings.Index(message[from:], text)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(text)
		inside := start > 0 && inWord(message[start-1]) && inWord(text[0]) ||
			end < len(message) && inWord(message[end]) && inWord(text[len(text)-1])
		if !inside {
			return true
		}
		from = start + 1
	}
}

// inWord takes lower-case letters and digits. Scripts without them may have no
// spaces between words either.
func inWord(b byte) bool { return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' }

// escaped is text as it stands in JSON, for servers that quote it from there.
func escaped(text string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(true) // as the request was written
	if enc.Encode(text) != nil {
		return text
	}
	return strings.Trim(strings.TrimSpace(b.String()), `"`)
}
