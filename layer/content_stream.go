package layer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// stall ends a transfer in which no byte moves.
type stall struct {
	timeout time.Duration
	timer   *time.Timer
	cancel  context.CancelCauseFunc
}

func watchStall(ctx context.Context, timeout time.Duration) (context.Context, *stall) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(timeout, func() { cancel(errAttemptTimeout) })
	return ctx, &stall{timeout: timeout, timer: timer, cancel: cancel}
}

func (s *stall) moved() { s.timer.Reset(s.timeout) }
func (s *stall) pause() { s.timer.Stop() }
func (s *stall) end()   { s.timer.Stop(); s.cancel(nil) }

// source is what is to be uploaded, over all attempts.
type source struct {
	reader io.Reader
	seeker io.Seeker // nil if it can be read once only
	start  int64
	size   int64
	// reading guards reader: net/http may still read after it gave up a request.
	reading sync.Mutex
}

func newSource(reader io.Reader, size int64) *source {
	s := &source{reader: reader, size: size}
	if seeker, ok := reader.(io.Seeker); ok {
		// A pipe in an *os.File has Seek, and fails here: it can be read once only.
		if start, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			s.seeker, s.start = seeker, start
		}
	}
	return s
}

func (s *source) canRewind() bool { return s.seeker != nil }

// rewind goes back to the start before every attempt but the first.
func (s *source) rewind(attempt int) error {
	if attempt == 1 {
		return nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if _, err := s.seeker.Seek(s.start, io.SeekStart); err != nil {
		return fmt.Errorf("layer: content.put: go back to the start of what is to be uploaded: %w", err)
	}
	return nil
}

// probe tells whether the reader ends here: io.EOF if it does.
func (s *source) probe() error {
	var one [1]byte
	if n, err := io.ReadFull(s.reader, one[:]); n == 0 {
		return err
	}
	return errMore
}

// body gives the bytes to one attempt.
func (s *source) body(stall *stall) *sourceBody {
	return &sourceBody{source: s, stall: stall, left: s.size}
}

// sourceBody is a request body that knows how many bytes there must be, and keeps
// what went wrong with them apart from what went wrong on the way.
type sourceBody struct {
	source *source
	stall  *stall

	mu       sync.Mutex
	left     int64
	failure  error
	detached bool
}

var (
	errDetached = errors.New("the attempt is over")
	errMore     = errors.New("there are more bytes")
)

// Read implements io.Reader. The last bytes go out only when it is certain that
// they are the last: a storage that has them all may take it for a success.
// The time in here is the reader's and counts as no stall: who has a slow one
// knows better how long to wait for it.
func (b *sourceBody) Read(buffer []byte) (int, error) {
	b.source.reading.Lock()
	defer b.source.reading.Unlock()
	left, over := b.state()
	if over != nil {
		return 0, over
	}
	if left == 0 {
		return 0, io.EOF
	}
	b.stall.pause()
	n, err := b.source.reader.Read(buffer[:min(int64(len(buffer)), left)])
	if err == nil && int64(n) == left {
		err = b.source.probe()
	}
	if failure := b.took(int64(n), err); failure != nil {
		return 0, failure
	}
	return n, nil
}

// Close implements io.Closer. The caller's reader stays open: it may be read again.
func (b *sourceBody) Close() error { return nil }

func (b *sourceBody) state() (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.detached:
		return 0, errDetached
	case b.failure != nil:
		return 0, b.failure
	default:
		return b.left, nil
	}
}

// took counts what was read, and tells what is wrong with it.
func (b *sourceBody) took(n int64, err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left -= n
	if !b.detached { // else the stall is that of an attempt that has ended
		b.stall.moved()
	}
	switch {
	case errors.Is(err, errMore):
		b.failure = &FieldError{Field: "size", Problem: fmt.Sprintf("is %d, but body has more bytes", b.source.size)}
	case errors.Is(err, io.EOF) && b.left > 0:
		b.failure = &FieldError{Field: "size", Problem: fmt.Sprintf("is %d, but body has %d bytes", b.source.size, b.source.size-b.left)}
	case err != nil && !errors.Is(err, io.EOF):
		b.failure = fmt.Errorf("read what is to be uploaded: %w", err)
	}
	return b.failure
}

// detach ends the attempt, and tells what was wrong with the bytes.
func (b *sourceBody) detach() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.detached = true
	return b.failure
}

func (b *sourceBody) done() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left == 0
}

// download is an open download.
type download struct {
	ctx   context.Context //nolint:containedctx // tells why a read failed
	call  *call
	stall *stall
	body  io.ReadCloser
	size  int64 // 0: not known
	read  int64
}

// Read implements io.Reader. Only the time inside of it counts as a stall: the
// caller may take its own.
func (d *download) Read(buffer []byte) (int, error) {
	d.stall.moved()
	n, err := d.body.Read(buffer)
	d.stall.pause()
	d.read += int64(n)
	switch {
	case d.size > 0 && d.read > d.size:
		return n, d.call.failed(&TransportError{Kind: KindTooLarge, Detail: fmt.Sprintf("over the %d bytes announced", d.size)})
	case errors.Is(err, io.EOF) && d.read < d.size:
		return n, d.call.failed(&TransportError{Kind: KindCut, Err: io.ErrUnexpectedEOF, Detail: fmt.Sprintf("%d of %d bytes came", d.read, d.size)})
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	default:
		return n, d.call.failed(transportError(d.ctx, err))
	}
}

// Close implements io.Closer.
func (d *download) Close() error {
	err := d.body.Close()
	d.stall.end()
	return err
}
