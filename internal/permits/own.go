package permits

import (
	"container/heap"
	"container/list"
	"time"
)

// permit is the right to make one attempt.
type permit struct {
	number uint64
	class  class
	begin  int64         // on Redis' clock, in microseconds; 0 if it is a local one
	at     time.Duration // when it begins on this worker's clock
	by     time.Duration // when the attempt must have begun: later it is worth nothing
	until  time.Duration // when it is over, as far as is known
	index  int           // in own

	renewed time.Duration // when Redis was last told that it is used
	using   *list.Element // in own; nil unless it is used
}

// own are the permits of this worker that are not over, by when they are: those
// in use, and those that wait until T after their answer. Redis has
// them too; this is what counts when Redis is lost.
type own struct {
	heap   permitHeap
	others int       // how many are of class others
	using  list.List // those in use, by when Redis was last told so
}

func (o *own) add(p *permit) {
	if p.class == others {
		o.others++
	}
	heap.Push(&o.heap, p)
}

// remove takes out p, which may be over already.
func (o *own) remove(p *permit) {
	if p.index < 0 {
		return
	}
	heap.Remove(&o.heap, p.index)
	o.unuse(p)
	if p.class == others {
		o.others--
	}
}

// use keeps p until a time, or until finish.
func (o *own) use(p *permit, until time.Duration) {
	p.until = until
	p.using = o.using.PushBack(p)
	heap.Fix(&o.heap, p.index)
}

// finish sets when p is over, which was used. It tells whether that is still to come: what
// takes longer than an attempt may, such as an upload, has arrived before.
func (o *own) finish(p *permit, until time.Duration) bool {
	if p.index < 0 {
		return false
	}
	o.unuse(p)
	p.until = until
	heap.Fix(&o.heap, p.index)
	return true
}

func (o *own) unuse(p *permit) {
	if p.using != nil {
		o.using.Remove(p.using)
		p.using = nil
	}
}

// renew returns those in use of which Redis was told before a time, and takes them
// for told now.
func (o *own) renew(before, now time.Duration) (old []*permit) {
	for e := o.using.Front(); e != nil; e = o.using.Front() {
		p, _ := e.Value.(*permit) // nothing else is ever put in
		if p.renewed >= before {
			break
		}
		p.renewed = now
		o.using.MoveToBack(e)
		old = append(old, p)
	}
	return old
}

// expire forgets what is over.
func (o *own) expire(now time.Duration) {
	for len(o.heap) > 0 && o.heap[0].until <= now {
		o.remove(o.heap[0])
	}
}

func (o *own) len() int { return len(o.heap) }

// next is when the next one is over; never if there is none.
func (o *own) next() time.Duration {
	if len(o.heap) == 0 {
		return never
	}
	return o.heap[0].until
}

type permitHeap []*permit

func (h permitHeap) Len() int           { return len(h) }
func (h permitHeap) Less(i, j int) bool { return h[i].until < h[j].until }
func (h permitHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *permitHeap) Push(x any) {
	p, _ := x.(*permit) // nothing else is ever put in
	p.index = len(*h)
	*h = append(*h, p)
}

// Pop implements heap.Interface.
func (h *permitHeap) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	p.index = -1
	return p
}
