package bulk

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/layerq/layerq/tasks"
)

// MaxLine is the most bytes of a line: a payload with every character escaped
// (\u0041), and room for the rest of the line.
const MaxLine = 6*tasks.MaxPayload + 512<<10

// readAhead is how much is read from the stream at once.
const readAhead = 256 << 10

// ErrUTF16 ends a stream that begins with the byte order mark of UTF-16.
var ErrUTF16 = errors.New("the input is UTF-16, must be UTF-8")

// lines takes a stream apart.
type lines struct {
	r      *bufio.Reader
	number int   // of the line that next returned, from 1
	offset int64 // of the byte behind it
	long   []byte
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, readAhead)} }

// next returns the next line that is not blank, without its end. It is valid until
// the next call. For a line that is longer than MaxLine tooLong is true, and
// there is no text.
func (l *lines) next() (text []byte, tooLong bool, err error) {
	for {
		text, tooLong, err = l.read()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, err
		}
		if l.number++; l.number == 1 {
			if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
				return nil, false, ErrUTF16
			}
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if text = bytes.TrimSpace(text); len(text) > 0 || tooLong {
			return text, tooLong, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
}

// read returns the next line with its end. The error is io.EOF with the last
// line, which may be empty.
func (l *lines) read() (text []byte, tooLong bool, err error) {
	l.long = l.long[:0]
	for {
		piece, err := l.r.ReadSlice('\n')
		l.offset += int64(len(piece))
		if err == nil && len(l.long) == 0 && !tooLong {
			return piece, false, nil
		}
		if tooLong = tooLong || len(l.long)+len(piece) > MaxLine; !tooLong {
			l.long = append(l.long, piece...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if tooLong {
				return nil, true, err
			}
			return l.long, false, err
		}
	}
}

// wouldBlock tells that no whole line has been read ahead: the next one may be
// long in coming.
func (l *lines) wouldBlock() bool {
	ahead, err := l.r.Peek(l.r.Buffered())
	return err == nil && bytes.IndexByte(ahead, '\n') < 0
}
