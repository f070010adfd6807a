package layertest

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Request is one request to the Layer API as the emulator remembers it.
type Request struct {
	N         int64     `json:"n"` // order of arrival, from 1
	At        time.Time `json:"at"`
	Method    string    `json:"method"`
	Path      string    `json:"path"` // as sent, escaped
	Query     string    `json:"query,omitempty"`
	Dedupe    string    `json:"dedupe"` // lower case; empty without one
	Status    int       `json:"status"` // 0 where the connection was cut
	Duplicate bool      `json:"duplicate"`
	InFlight  bool      `json:"in_flight,omitzero"` // not answered yet
}

// Stats counts what an emulator was asked and what it holds, over all apps.
type Stats struct {
	Requests      int            `json:"requests"`
	ByStatus      map[string]int `json:"by_status"` // "0" counts connections cut
	DedupeHits    int            `json:"dedupe_hits"`
	RateLimited   int            `json:"rate_limited"`
	Messages      int            `json:"messages"`
	Announcements int            `json:"announcements"`
	Conversations int            `json:"conversations"`
	Identities    int            `json:"identities"`
	Blocks        int            `json:"blocks"`
}

// record is a Request in 40 bytes: no time.Time, no strings of its own.
type record struct {
	at        int64
	dedupe    uuid.UUID
	target    *asked
	status    int16
	duplicate bool
	done      bool
}

// asked is what many requests ask for in the same words.
type asked struct{ method, path, query string }

const (
	chunkSize = 4096
	// maxShared bounds how many targets are shared between records: messages
	// to few conversations have few, however many there are.
	maxShared = 1 << 16
)

// requestLog remembers the latest requests and counts all of them.
type requestLog struct {
	mu      sync.Mutex
	limit   *window
	chunks  []*[chunkSize]record // of which the first begins at dropped
	dropped int64                // requests forgotten, a multiple of chunkSize
	n       int64
	epoch   int // counts resets
	size    int
	shared  map[asked]*asked

	byStatus    map[int]int
	dedupeHits  int
	rateLimited int
}

func newRequestLog(size int, rate Rate) *requestLog {
	l := &requestLog{size: size, limit: &window{}}
	l.limit.set(rate)
	l.reset()
	return l
}

func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chunks, l.dropped, l.n = nil, 0, 0
	l.shared, l.byStatus = map[asked]*asked{}, map[int]int{}
	l.dedupeHits, l.rateLimited = 0, 0
	l.epoch++
}

// ticket is a request's place in the log.
type ticket struct {
	n     int64
	epoch int
}

// arrive remembers a request and says whether the limit admits it. One lock
// for both: the order of numbers, times and permits is the same.
func (l *requestLog) arrive(r *http.Request, limited bool) (t ticket, admitted bool) {
	var rec record
	target := asked{r.Method, r.URL.EscapedPath(), r.URL.RawQuery}
	if tag := r.Header.Get("If-None-Match"); tag != "" {
		rec.dedupe, _ = parseID(strings.Trim(tag, `"`))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	admitted = !limited || l.limit.admit(now)
	if !admitted {
		l.rateLimited++
	}
	rec.at = now.UnixNano()
	rec.target = l.share(target)
	at := l.n - l.dropped
	if at == int64(len(l.chunks))*chunkSize {
		l.chunks = append(l.chunks, new([chunkSize]record))
		if (len(l.chunks)-1)*chunkSize >= l.size+chunkSize {
			l.chunks[0] = nil
			l.chunks = l.chunks[1:]
			l.dropped += chunkSize
			at -= chunkSize
		}
	}
	l.chunks[at/chunkSize][at%chunkSize] = rec
	l.n++
	return ticket{l.n, l.epoch}, admitted
}

func (l *requestLog) share(a asked) *asked {
	if shared, ok := l.shared[a]; ok {
		return shared
	}
	if len(l.shared) >= maxShared {
		clear(l.shared)
	}
	l.shared[a] = &a
	return &a
}

// finish remembers how a request was answered; status 0 is a cut connection.
// It is called before the answer leaves, so that who has the answer finds it.
func (l *requestLog) finish(t ticket, status int, duplicate bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.epoch != l.epoch {
		return
	}
	l.byStatus[status]++
	if duplicate {
		l.dedupeHits++
	}
	at := t.n - 1 - l.dropped
	if at < 0 { // forgotten meanwhile
		return
	}
	rec := &l.chunks[at/chunkSize][at%chunkSize]
	rec.status, rec.duplicate, rec.done = int16(status), duplicate, true
}

// after returns up to limit requests that arrived after number n, in order.
func (l *requestLog) after(n int64, limit int) []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = max(n, l.dropped, l.n-int64(l.size))
	var out []Request
	for ; n < l.n && len(out) < limit; n++ {
		at := n - l.dropped
		rec := l.chunks[at/chunkSize][at%chunkSize]
		req := Request{
			N: n + 1, At: time.Unix(0, rec.at).UTC(), Method: rec.target.method, Path: rec.target.path, Query: rec.target.query,
			Status: int(rec.status), Duplicate: rec.duplicate, InFlight: !rec.done,
		}
		if rec.dedupe != uuid.Nil {
			req.Dedupe = rec.dedupe.String()
		}
		out = append(out, req)
	}
	return out
}

func (l *requestLog) setRate(r Rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit.set(r)
}

func (l *requestLog) rate() Rate {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit.rate
}

func (l *requestLog) stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Requests: int(l.n), ByStatus: make(map[string]int, len(l.byStatus)), DedupeHits: l.dedupeHits, RateLimited: l.rateLimited}
	for status, n := range l.byStatus {
		s.ByStatus[strconv.Itoa(status)] = n
	}
	return s
}
