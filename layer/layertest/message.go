package layertest

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// message is kept small, since there may be millions: the text is packed, the
// recipients are shared with the conversation, and what seldom differs from
// the start hangs on marks.
type message struct {
	id     uuid.UUID
	conv   *conversation
	roster *roster // participants when it was sent
	packed string  // sender and parts
	sentAt int64   // Unix nanoseconds: finer than is shown, so that two are in order
	seq    uint64  // in its conversation, from 1
	marks  *marks
}

// marks is what happened to a message since it was sent.
type marks struct {
	status  map[string]receipt // where it is not the first one
	hidden  map[string]bool    // from whom: blocked, or deleted for itself
	deleted bool               // for everyone
}

type receipt string

const (
	sent      receipt = "sent"
	delivered receipt = "delivered"
	read      receipt = "read"
)

type sender struct {
	name   string // of a user or, with a free name, of a service
	isUser bool
}

type part struct {
	mime    string
	body    string
	base64  bool      // body is base64 of bytes that are no UTF-8
	content uuid.UUID // in place of body
	size    int64     // of the content
}

const (
	packedUser    = 1
	packedBase64  = 1
	packedContent = 2
)

func pack(s sender, parts []part) string {
	n := 16 + len(s.name)
	for _, p := range parts {
		n += 32 + len(p.mime) + len(p.body)
	}
	b := make([]byte, 0, n)
	appendText := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	var flags byte
	if s.isUser {
		flags = packedUser
	}
	b = append(b, flags)
	appendText(s.name)
	b = binary.AppendUvarint(b, uint64(len(parts)))
	for _, p := range parts {
		flags = 0
		if p.base64 {
			flags |= packedBase64
		}
		if p.content != uuid.Nil {
			flags |= packedContent
		}
		b = append(b, flags)
		appendText(p.mime)
		if p.content != uuid.Nil {
			b = append(b, p.content[:]...)
			b = binary.AppendUvarint(b, uint64(p.size))
		} else {
			appendText(p.body)
		}
	}
	return string(b)
}

func (msg *message) unpack() (sender, []part) {
	rest := msg.packed
	number := func() uint64 {
		var n uint64
		for shift := 0; ; shift += 7 {
			b := rest[0]
			rest = rest[1:]
			n |= uint64(b&0x7f) << shift
			if b < 0x80 {
				return n
			}
		}
	}
	flag := func() byte {
		b := rest[0]
		rest = rest[1:]
		return b
	}
	text := func() string {
		n := number()
		s := rest[:n]
		rest = rest[n:]
		return s
	}
	s := sender{isUser: flag() == packedUser, name: text()}
	parts := make([]part, number())
	for i := range parts {
		flags := flag()
		parts[i].mime = text()
		if flags&packedContent != 0 {
			copy(parts[i].content[:], rest)
			rest = rest[16:]
			parts[i].size = int64(number())
			continue
		}
		parts[i].base64 = flags&packedBase64 != 0
		parts[i].body = text()
	}
	return s, parts
}

// author returns the sender without the work of unpacking the parts.
func (msg *message) author() sender {
	n, width := uint64(0), 1
	for shift := 0; ; shift += 7 {
		b := msg.packed[width]
		width++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	return sender{isUser: msg.packed[0] == packedUser, name: msg.packed[width : width+int(n)]}
}

func (msg *message) time() time.Time { return time.Unix(0, msg.sentAt) }

func (msg *message) mark() *marks {
	if msg.marks == nil {
		msg.marks = &marks{}
	}
	return msg.marks
}

func (msg *message) deleted() bool { return msg.marks != nil && msg.marks.deleted }

// hide keeps the message from one user.
func (msg *message) hide(user string) {
	m := msg.mark()
	if m.hidden == nil {
		m.hidden = map[string]bool{}
	}
	m.hidden[user] = true
}

func (msg *message) hiddenFrom(user string) bool { return msg.marks != nil && msg.marks.hidden[user] }

// statusOf returns what a recipient has done with the message. The sender has
// read it from the start.
func (msg *message) statusOf(user string) receipt {
	if msg.marks != nil {
		if r, ok := msg.marks.status[user]; ok {
			return r
		}
	}
	if s := msg.author(); s.isUser && s.name == user {
		return read
	}
	return sent
}

// unreadBy says whether the message is addressed to a user and not read yet:
// history that came with joining was not.
func (msg *message) unreadBy(user string) bool {
	return msg.roster.has(user) && msg.statusOf(user) != read
}
