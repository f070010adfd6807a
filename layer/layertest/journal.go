package layertest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// journal is a file of changes, each one line: a checksum and a batch in JSON.
// A batch is what one request changed, so it takes effect whole or not at all.
type journal struct {
	mu      sync.Mutex
	flushed *sync.Cond
	file    disk
	buffer  []byte // not written yet
	end     int64  // bytes appended ever
	safe    int64  // of these, on disk
	closed  bool
	err     error // the first one; nothing is kept after it
	done    chan struct{}
}

// disk is the file of a journal.
type disk interface {
	io.WriteCloser
	Sync() error
}

const (
	journalName   = "state.log"
	contentName   = "content" // the directory beside it
	journalHeader = "layer-emulator state, format 2\n"

	// formatOne had the times of messages in milliseconds and, before it was
	// noticed that this makes another format of it, in nanoseconds.
	formatOne = "layer-emulator state, format 1\n"
)

// batch is what one change of an app's state leaves in the journal.
type batch struct {
	App     uuid.UUID `json:"app"`
	Reset   bool      `json:"reset,omitzero"`
	Records []saved   `json:"records,omitempty"`
}

// saved is an entity as it was after a change; without a value it is gone.
type saved struct {
	Kind  string         `json:"kind"`
	ID    string         `json:"id,omitzero"`
	Value jsontext.Value `json:"value,omitzero"`
}

var checksums = crc32.MakeTable(crc32.Castagnoli)

func (b batch) line() []byte {
	body := marshal(b)
	line := fmt.Appendf(make([]byte, 0, len(body)+10), "%08x ", crc32.Checksum(body, checksums))
	return append(append(line, body...), '\n')
}

// readJournal calls apply for every batch in the file. It returns where the
// first damaged one begins, which is the end of the file if there is none: a
// crash leaves the last write torn.
func readJournal(r io.Reader, apply func(batch) error) (int64, error) {
	in := bufio.NewReaderSize(r, 1<<20)
	header, err := in.ReadString('\n')
	switch {
	case err == io.EOF:
		return 0, nil
	case err != nil:
		return 0, err
	case header == formatOne:
		return 0, errors.New("it is of format 1, which an earlier layer-emulator wrote and this one does not read; move it away to begin anew")
	case header != journalHeader:
		return 0, errors.New("it is not a state of layer-emulator, or one of another version")
	}
	good := int64(len(header))
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return good, err
		}
		b, ok := parseLine(line)
		if !ok {
			return good, nil
		}
		if err := apply(b); err != nil {
			return good, err
		}
		good += int64(len(line))
	}
}

func parseLine(line []byte) (batch, bool) {
	var b batch
	sum, body, ok := bytes.Cut(line, []byte{' '})
	if !ok || !bytes.HasSuffix(body, []byte{'\n'}) {
		return b, false
	}
	body = body[:len(body)-1]
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || uint32(want) != crc32.Checksum(body, checksums) {
		return b, false
	}
	return b, json.Unmarshal(body, &b) == nil
}

// openJournal reads what is in dir and makes it ready for appending. What is
// damaged is moved aside rather than thrown away.
func openJournal(dir string, apply func(batch) error, warn func(damaged string, size int64)) (*journal, error) {
	path := filepath.Join(dir, journalName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	good, err := readJournal(f, apply)
	var size int64
	if err == nil {
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err == nil && size > good {
		damaged := path + ".damaged"
		if err = moveAside(f, good, damaged); err == nil {
			warn(damaged, size-good)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	j := newJournal(f)
	if good == 0 {
		j.append([]byte(journalHeader))
	}
	return j, nil
}

// moveAside appends what is behind good to another file, and cuts it off.
func moveAside(f *os.File, good int64, name string) error {
	if _, err := f.Seek(good, io.SeekStart); err != nil {
		return err
	}
	aside, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(aside, f)
	if err = errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return err
	}
	if err := f.Truncate(good); err != nil {
		return err
	}
	_, err = f.Seek(good, io.SeekStart)
	return err
}

func newJournal(f disk) *journal {
	j := &journal{file: f, done: make(chan struct{})}
	j.flushed = sync.NewCond(&j.mu)
	go j.flush()
	return j
}

// promise is what a change waits for before it is acknowledged.
type promise struct {
	j  *journal
	at int64
}

func (j *journal) append(line []byte) promise {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.buffer = append(j.buffer, line...)
	j.end += int64(len(line))
	j.flushed.Broadcast()
	return promise{j, j.end}
}

// appended promises all that was appended before.
func (j *journal) appended() promise {
	j.mu.Lock()
	defer j.mu.Unlock()
	return promise{j, j.end}
}

// failed says whether the journal keeps nothing any more.
func (p promise) failed() bool {
	if p.j == nil {
		return false
	}
	p.j.mu.Lock()
	defer p.j.mu.Unlock()
	return p.j.err != nil
}

// never is a promise that a failed journal does not hold.
func (p promise) never() promise { return promise{p.j, math.MaxInt64} }

// wait returns when the change is on disk. The zero promise needs nothing.
func (p promise) wait() error {
	if p.j == nil {
		return nil
	}
	p.j.mu.Lock()
	defer p.j.mu.Unlock()
	for p.j.safe < p.at && p.j.err == nil {
		p.j.flushed.Wait()
	}
	if p.j.safe >= p.at {
		return nil
	}
	return p.j.err
}

// flush writes and syncs what was appended, again and again: whatever came
// while one sync was under way shares the next one.
func (j *journal) flush() {
	defer close(j.done)
	j.mu.Lock()
	defer j.mu.Unlock()
	defer func() { // whoever comes now is not kept waiting
		if j.err == nil {
			j.err = os.ErrClosed
		}
		j.flushed.Broadcast()
	}()
	for {
		for len(j.buffer) == 0 && !j.closed {
			j.flushed.Wait()
		}
		if len(j.buffer) == 0 || j.err != nil {
			return
		}
		chunk := j.buffer
		j.buffer = nil
		j.mu.Unlock()
		_, err := j.file.Write(chunk)
		if err == nil {
			err = j.file.Sync()
		}
		j.mu.Lock()
		j.safe += int64(len(chunk))
		if err != nil {
			j.safe -= int64(len(chunk))
			j.err = fmt.Errorf("journal: %w", err)
		}
		j.flushed.Broadcast()
	}
}

// close writes what is left and closes the file.
func (j *journal) close() error {
	j.mu.Lock()
	j.closed = true
	j.flushed.Broadcast()
	j.mu.Unlock()
	<-j.done
	err := j.err
	if errors.Is(err, os.ErrClosed) {
		err = nil // closed by this call
	}
	return errors.Join(err, j.file.Close())
}
