package bulk

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/layerq/layerq/tasks"
)

const (
	// batchTasks is how many tasks make a round trip worth its while.
	batchTasks = 500
	// batchBytes bounds the lines of a batch, as one may have some 100 KiB.
	batchBytes = 4 << 20
)

// Rejected is a line that was not enqueued.
type Rejected struct {
	Line    int // from 1
	Problem string
}

// batch is some lines of the stream, in their order.
type batch struct {
	requests []tasks.Request
	numbers  []int      // of the requests' lines
	rejected []Rejected // those that cannot be read; then also what was refused
	size     int        // bytes of the lines
	offset   int64      // in the stream, behind the last line
	err      error      // why there is no further batch, io.EOF at the end
}

func (b *batch) full() bool {
	return len(b.requests) >= batchTasks || len(b.rejected) >= batchTasks || b.size >= batchBytes
}

func (b *batch) reject(line int, problem string) {
	b.rejected = append(b.rejected, Rejected{Line: line, Problem: problem})
}

func (b *batch) empty() bool { return len(b.requests) == 0 && len(b.rejected) == 0 }

// batches reads the stream in a goroutine of its own, so that lines are parsed
// while others are on their way to Redis. The last batch has its error set. The
// goroutine ends with ctx, but for a read that blocks.
func (p *parser) batches(ctx context.Context, in io.Reader) <-chan *batch {
	out := make(chan *batch)
	go func() {
		defer close(out)
		lines := newLines(in)
		for b := (&batch{}); ; {
			b.err = errors.Join(p.add(b, lines), ctx.Err())
			// What there is goes out before the next line may be long in coming: lines that
			// come one by one are enqueued one by one. Those that come while the batches
			// before are under way are one batch, the next.
			if b.err == nil && !b.full() && (b.empty() || !lines.wouldBlock()) {
				continue
			}
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
			b = &batch{}
		}
	}()
	return out
}

// add reads one line into the batch.
func (p *parser) add(b *batch, lines *lines) error {
	text, tooLong, err := lines.next()
	b.offset = lines.offset
	if err != nil {
		return err
	}
	b.size += len(text)
	request, err := tasks.Request{}, fmt.Errorf("is longer than %d bytes", MaxLine)
	if !tooLong {
		request, err = p.parse(text)
	}
	if err != nil {
		b.reject(lines.number, err.Error())
		return nil
	}
	b.requests = append(b.requests, request)
	b.numbers = append(b.numbers, lines.number)
	return nil
}
