package layertest

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// instead says whether the rule's own answer, or none, takes the place of the
// real one.
func (p plan) instead() bool {
	return p.fault != nil && (p.Status != 0 || p.DropConnection || p.Hang)
}

// shape turns the real answer, or the empty one of a request that was not
// applied, into what the rule wants.
func (p plan) shape(e *Emulator, a answer) answer {
	if p.fault == nil {
		return a
	}
	if p.Status != 0 {
		a = e.faultAnswer(p.Status, p.Code)
	}
	if p.RetryAfter > 0 {
		a.retryAfter = p.retryAfterHeader(time.Now())
	}
	if p.ContentType != "" {
		a.contentType = p.ContentType
	}
	if p.Body != nil {
		a.body = []byte(*p.Body)
	}
	return a
}

func (p plan) retryAfterHeader(now time.Time) string {
	d := time.Duration(p.RetryAfter)
	if p.RetryAfterDate {
		// The header has whole seconds: never earlier than asked for.
		return now.Add(d + time.Second - 1).UTC().Format(http.TimeFormat)
	}
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// faultAnswer is how the service spoke with a status: in its error table, for 429
// as above the limit, as a web server for what did not come from the service itself.
func (e *Emulator) faultAnswer(status int, code string) answer {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.id == code || code == "" && k.status == status })
	switch {
	case code == "" && status == http.StatusTooManyRequests:
		return e.tooManyRequests()
	case i < 0 && status < 500:
		return answer{status: status}
	case i < 0:
		text := strconv.Itoa(status) + " " + http.StatusText(status)
		return answer{status: status, contentType: "text/html", body: []byte("<html><head><title>" + text +
			"</title></head><body><center><h1>" + text + "</h1></center><hr><center>nginx</center></body></html>\n")}
	default:
		k := kinds[i]
		k.status = status
		return (&failure{kind: k, url: docsPlatform, message: "A fault was requested from the emulator."}).answer()
	}
}

// send writes the answer as the rule wants it.
func (p plan) send(w http.ResponseWriter, r *http.Request, a answer) {
	switch {
	case p.fault == nil:
		a.write(w, r)
	case p.DropConnection:
		cut(w, r)
	case p.Hang:
		<-r.Context().Done()
		cut(w, r)
	case a.stream != nil && (p.HalfBody || p.SlowBody > 0):
		a.stream(&mangled{ResponseWriter: w, r: r, plan: p, left: a.size / 2, size: a.size}, r)
	case p.HalfBody:
		a.header(w.Header())
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body[:len(a.body)/2]) // the caller gets less than it was promised anyway
		_ = http.NewResponseController(w).Flush()
		cut(w, r)
	case p.SlowBody > 0:
		p.drip(w, r, a)
	default:
		a.write(w, r)
	}
}

// drip sends the body in ten pieces.
func (p plan) drip(w http.ResponseWriter, r *http.Request, a answer) {
	const pieces = 10
	a.header(w.Header())
	w.WriteHeader(a.status)
	for i := range pieces {
		_ = http.NewResponseController(w).Flush() // a caller who left is noticed by wait
		if !wait(r.Context(), time.Duration(p.SlowBody)/pieces) {
			return
		}
		_, _ = w.Write(a.body[len(a.body)*i/pieces : len(a.body)*(i+1)/pieces])
	}
}

// mangled is the way of a body that is sent as it is read: slowed down, or cut
// in the middle.
type mangled struct {
	http.ResponseWriter
	plan
	r    *http.Request
	left int64 // bytes before the cut
	size int64 // of the whole body
}

// Write passes on what the rule lets through.
func (m *mangled) Write(b []byte) (int, error) {
	if m.SlowBody > 0 && m.size > 0 {
		wait(m.r.Context(), time.Duration(float64(m.SlowBody)*float64(len(b))/float64(m.size)))
	}
	if !m.HalfBody {
		return m.ResponseWriter.Write(b)
	}
	n, err := m.ResponseWriter.Write(b[:min(int64(len(b)), m.left)])
	if m.left -= int64(n); m.left == 0 {
		_ = http.NewResponseController(m.ResponseWriter).Flush() // so that the half arrives
		cut(m.ResponseWriter, m.r)
	}
	return n, err
}

// wait waits for d, and says whether the caller is still there.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

type connKey struct{}

// ConnContext lets an emulator cut connections of any HTTP version: set it as
// ConnContext of an [http.Server] that was not made by [Emulator.HTTPServer].
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// cut ends the connection under a request without another word. It does not
// return.
func cut(w http.ResponseWriter, r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
		if tls, ok := c.(interface{ NetConn() net.Conn }); ok {
			c = tls.NetConn() // without a closing alert
		}
		_ = c.Close() // it is to be gone
	} else if hijacker, ok := w.(http.Hijacker); ok {
		if c, _, err := hijacker.Hijack(); err == nil {
			_ = c.Close() // it is to be gone
			return
		}
	}
	panic(http.ErrAbortHandler)
}
