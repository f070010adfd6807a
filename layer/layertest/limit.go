package layertest

import "time"

// window is a strict sliding window: no span of length Per, wherever it
// begins, holds more than N admitted requests. A refused request takes no
// place, so who keeps asking is let in as soon as there is room.
type window struct {
	rate  Rate
	times []time.Time // ring of the last N admissions
	next  int         // the oldest one, once the ring is full
}

// set changes the limit; what was admitted before still counts.
func (w *window) set(rate Rate) {
	last := append(append([]time.Time(nil), w.times[w.next:]...), w.times[:w.next]...)
	if extra := len(last) - rate.N; extra > 0 {
		last = last[extra:]
	}
	*w = window{rate: rate, times: last}
}

func (w *window) admit(now time.Time) bool {
	if w.rate.N == 0 {
		return true
	}
	if len(w.times) < w.rate.N {
		w.times = append(w.times, now)
		return true
	}
	if now.Sub(w.times[w.next]) < w.rate.Per {
		return false
	}
	w.times[w.next] = now
	w.next = (w.next + 1) % w.rate.N
	return true
}
