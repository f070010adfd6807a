package permits

import (
	"container/heap"
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
}

// own are the permits of this worker that are not over, by when they are: those
// in use, and those that wait until T after their answer. Redis has
// them too; this is what counts when Redis is lost.
type own struct {
	heap   permitHeap
	others int // how many are of class others
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
	if p.class == others {
		o.others--
	}
}

// extend sets when p is over.
func (o *own) extend(p *permit, until time.Duration) {
	p.until = until
	if p.index < 0 {
		o.add(p) // it took longer than anybody thought it could
		return
	}
	heap.Fix(&o.heap, p.index)
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
