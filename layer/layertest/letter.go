package layertest

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// letter is a message or an announcement on its way to the wire. Lists of
// messages are what the emulator spends its time on, so its JSON is written
// without reflection.
type letter struct {
	kind         string // of the id: messages or announcements
	id           uuid.UUID
	url          string
	conversation *conversation // nil for announcements
	base         string        // of the conversation's url
	sender       sender
	parts        []part
	sentAt       time.Time
	recipients   []string // of an announcement
	everyone     bool
	status       func(b []byte) []byte // the members of recipient_status, or nil

	// What a reading user sees in addition.
	viewed   bool
	position int64
	unread   bool
}

// appendRead writes the form of reads: every key, with explicit nulls.
func (l *letter) appendRead(b []byte, c *call) []byte {
	b = l.appendHead(b)
	if l.viewed {
		b = append(appendText(append(b, `,"receipts_url":`...), l.url+"/receipts"), `,"position":`...)
		b = strconv.AppendInt(b, l.position, 10)
	} else {
		b = append(b, `,"receipts_url":null,"position":null`...)
	}
	if l.conversation != nil {
		b = l.appendConversation(append(b, `,"conversation":`...))
	} else {
		b = append(b, `,"conversation":null`...)
	}
	b = l.appendParts(append(b, `,"parts":`...), c, true)
	b = appendTime(append(b, `,"sent_at":`...), l.sentAt)
	if l.viewed {
		b = appendTime(append(b, `,"received_at":`...), l.sentAt)
	} else {
		b = append(b, `,"received_at":null`...)
	}
	b = l.sender.appendWire(append(b, `,"sender":`...), true)
	if l.viewed {
		b = strconv.AppendBool(append(b, `,"is_unread":`...), l.unread)
	} else {
		b = append(b, `,"is_unread":null`...)
	}
	b = l.appendStatus(append(b, `,"recipient_status":`...))
	b = append(b, `,"notification":null`...) // never returned
	if l.conversation == nil {
		b = l.appendRecipients(append(b, `,"recipients":`...))
	}
	return append(b, '}')
}

// appendCreated writes the form of answers to creates: keys without a value
// are absent.
func (l *letter) appendCreated(b []byte, c *call) []byte {
	if c.e.config.Switches.ExplicitNulls {
		return l.appendRead(b, c)
	}
	b = l.appendHead(b)
	if l.conversation != nil {
		b = l.appendConversation(append(b, `,"conversation":`...))
	}
	b = l.appendParts(append(b, `,"parts":`...), c, false)
	b = appendTime(append(b, `,"sent_at":`...), l.sentAt)
	if l.conversation == nil {
		b = l.appendRecipients(append(b, `,"recipients":`...))
	}
	b = l.sender.appendWire(append(b, `,"sender":`...), false)
	if l.status != nil {
		b = l.appendStatus(append(b, `,"recipient_status":`...))
	}
	return append(b, '}')
}

func (l *letter) appendHead(b []byte) []byte {
	b = l.appendID(append(b, `{"id":"`...))
	return appendText(append(b, `","url":`...), l.url)
}

func (l *letter) appendID(b []byte) []byte {
	return appendUUID(append(append(append(b, `layer:///`...), l.kind...), '/'), l.id)
}

func (l *letter) appendConversation(b []byte) []byte {
	b = appendUUID(append(b, `{"id":"layer:///conversations/`...), l.conversation.id)
	b = append(b, `","url":`...)
	return append(appendText(b, l.base+"/conversations/"+l.conversation.id.String()), '}')
}

func (l *letter) appendStatus(b []byte) []byte {
	if l.status == nil {
		return append(b, `null`...)
	}
	return append(l.status(append(b, '{')), '}')
}

func (l *letter) appendRecipients(b []byte) []byte {
	if l.everyone {
		return append(b, `"everyone"`...)
	}
	b = append(b, '[')
	for i, id := range l.recipients {
		b = appendText(comma(b, i), id)
	}
	return append(b, ']')
}

// appendParts writes the parts in the form of reads or of creates.
func (l *letter) appendParts(b []byte, c *call, reading bool) []byte {
	b = append(b, '[')
	for i, p := range l.parts {
		b = append(comma(b, i), '{')
		if reading {
			b = l.appendID(append(b, `"id":"`...))
			b = strconv.AppendInt(append(b, `/parts/`...), int64(i), 10)
			b = append(b, `",`...)
		}
		b = appendText(append(b, `"mime_type":`...), p.mime)
		switch {
		case p.content == uuid.Nil:
			b = appendText(append(b, `,"body":`...), p.body)
		case reading:
			b = append(b, `,"body":null`...)
		}
		switch {
		case p.base64:
			b = append(b, `,"encoding":"base64"`...)
		case reading:
			b = append(b, `,"encoding":null`...)
		}
		switch {
		case p.content != uuid.Nil:
			b = append(append(b, `,"content":`...), marshal(c.wireContent(l.conversation, p.content, p.size))...)
		case reading:
			b = append(b, `,"content":null`...)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendWire writes a sender; nulls says whether the member that it does not
// have is null or absent.
func (s sender) appendWire(b []byte, nulls bool) []byte {
	switch {
	case s.isUser && nulls:
		return append(appendText(append(b, `{"user_id":`...), s.name), `,"name":null}`...)
	case s.isUser:
		return append(appendText(append(b, `{"user_id":`...), s.name), '}')
	case nulls:
		return append(appendText(append(b, `{"user_id":null,"name":`...), s.name), '}')
	default:
		return append(appendText(append(b, `{"name":`...), s.name), '}')
	}
}

// comma separates the items of a list.
func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

func appendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // what is not UTF-8 becomes U+FFFD, and an error that nobody could act on
	return b
}

func appendTime(b []byte, t time.Time) []byte {
	b = t.UTC().AppendFormat(append(b, '"'), timeFormat)
	return append(b, '"')
}

func appendUUID(b []byte, id uuid.UUID) []byte {
	b = hex.AppendEncode(b, id[:4])
	b = hex.AppendEncode(append(b, '-'), id[4:6])
	b = hex.AppendEncode(append(b, '-'), id[6:8])
	b = hex.AppendEncode(append(b, '-'), id[8:10])
	return hex.AppendEncode(append(b, '-'), id[10:])
}
