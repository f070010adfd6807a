package permits

import "time"

// tells are what Redis is to be told, oldest first: of each permit the latest, once. An
// exchange takes all that it is told for true at the same time.
type tells struct {
	order []*fate
	of    map[uint64]*fate
}

func (t *tells) len() int { return len(t.order) }

func (t *tells) add(f fate) {
	if told, ok := t.of[f.number]; ok {
		if f.outcome == unknown {
			f.outcome, f.begin = told.outcome, told.begin
		}
		*told = f
		return
	}
	if t.of == nil {
		t.of = make(map[uint64]*fate)
	}
	t.of[f.number] = &f
	t.order = append(t.order, &f)
}

// take removes up to n.
func (t *tells) take(n int) []fate {
	taken := make([]fate, 0, min(n, len(t.order)))
	for _, f := range t.order[:cap(taken)] {
		taken = append(taken, *f)
		delete(t.of, f.number)
	}
	t.order = t.order[len(taken):]
	return taken
}

// restore puts back what was taken and not told, less what is stale and what is known better now.
func (t *tells) restore(taken []fate, now time.Duration) {
	newer := t.order
	*t = tells{}
	for _, f := range taken {
		t.add(f)
	}
	for _, f := range newer {
		t.add(*f)
	}
	kept := t.order[:0]
	for _, f := range t.order {
		if f.stale > now {
			kept = append(kept, f)
		} else {
			delete(t.of, f.number)
		}
	}
	clear(t.order[len(kept):])
	t.order = kept
}
