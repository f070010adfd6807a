package layer

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// readError reads an answer other than 2xx. The status counts, whatever became
// of the body; only a 409 without its body is no answer, since its two codes
// mean opposite things.
func (c *Client) readError(ctx context.Context, call *call, response *http.Response) error {
	body, err := readBounded(response.Body, maxErrorBody)
	if err != nil && response.StatusCode == http.StatusConflict {
		return call.failed(unreadable(ctx, err, response.StatusCode))
	}
	e := parseError(response.StatusCode, body)
	e.Method, e.Path = call.method, call.shown
	e.Location = response.Header.Get("Location")
	e.RetryAfter = parseRetryAfter(response.Header, time.Now())
	for _, text := range []*string{&e.Message, &e.Property, &e.Header} {
		*text = c.withoutSecrets(*text, call)
	}
	if _, known := numbers[e.Code]; !known && call.repeats(string(e.Code)) {
		e.Code = codeOfStatus(e.Status)
	}
	return e
}

// parseError understands a JSON object, also one that is cut off, a line of plain
// text, and nothing. Of anything else only the status counts.
func parseError(status int, body []byte) *Error {
	e := &Error{Status: status}
	text := bytes.TrimSpace(body)
	if bytes.HasPrefix(text, []byte("{")) {
		e.readObject(text)
	} else if isLine(text) {
		e.Message = string(text)
	}
	e.settleCode()
	return e
}

// readObject takes each member for itself: one that is malformed, or cut off,
// does not spoil those before it.
func (e *Error) readObject(body []byte) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if _, err := decoder.Token(); err != nil {
		return
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return
		}
		e.readMember(key, value)
	}
}

func (e *Error) readMember(key json.Token, value json.RawMessage) {
	switch key {
	case "id":
		e.Code = Code(stringOf(value))
	case "code":
		number, err := strconv.Atoi(strings.Trim(string(value), `"`))
		if err == nil {
			e.Number = number
		}
	case "message":
		e.Message = stringOf(value)
	case "url":
		e.DocURL = stringOf(value)
	case "data":
		e.readData(value)
	}
}

func (e *Error) readData(value json.RawMessage) {
	if string(value) == "null" {
		return
	}
	e.Data = value
	var named struct {
		Property json.RawMessage `json:"property"`
		Header   json.RawMessage `json:"header"`
	}
	if json.Unmarshal(value, &named) == nil {
		e.Property, e.Header = stringOf(named.Property), stringOf(named.Header)
	}
}

// settleCode makes id, number and status agree: the number is the stabler name,
// and the status stands in where the body has none.
func (e *Error) settleCode() {
	if code, known := codesByNumber[e.Number]; known {
		e.Code = code
	}
	if !e.Code.wellFormed() {
		e.Code = codeOfStatus(e.Status)
	}
	if e.Number == 0 {
		e.Number = numbers[e.Code]
	}
}

// wellFormed tells a name of an error from other text: an error whose data was
// put at the top has a resource's id there.
func (c Code) wellFormed() bool {
	if c == "" || len(c) > 64 {
		return false
	}
	for _, r := range c {
		if r != '_' && (r < 'a' || r > 'z') {
			return false
		}
	}
	return true
}

func stringOf(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// isLine tells a sentence, like Layer's plain-text 404, from a page of HTML.
func isLine(text []byte) bool {
	return len(text) <= 200 && !bytes.ContainsAny(text, "<\n\r") && bytes.IndexFunc(text, isUnprintable) < 0
}

func isUnprintable(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }

// shorten makes foreign text fit for one line of a log.
func shorten(s string) string {
	const most = 300
	s = strings.Map(func(r rune) rune {
		if isUnprintable(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strings.TrimSpace(s)
}

// withoutSecrets keeps a message that repeats what was sent out of errors, and
// so out of logs: the token, or a text of the body.
func (c *Client) withoutSecrets(message string, call *call) string {
	token := c.token
	if call.token != nil {
		token = call.token
	}
	if strings.Contains(message, token()) || call.repeats(message) {
		return "(left out: it repeats the request)"
	}
	return shorten(message)
}
