package layertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Emulator serves the Layer API and, under /_emulator/, its own controls. It
// is an [http.Handler], safe for concurrent use.
type Emulator struct {
	config  Config
	apps    map[uuid.UUID]*app
	tokens  map[string]bool
	random  *randomness
	faults  *faults
	log     *requestLog
	control http.Handler
	blobs   *blobs

	secret    [32]byte // signs the addresses of the storage
	publicURL string   // as configured, before its default
	journal   *journal // nil keeps nothing
	unlock    func() error

	ctx        context.Context //nolint:containedctx // ends what runs in the background
	cancel     context.CancelFunc
	starting   sync.Mutex // guards closed, against background.Wait
	closed     bool
	background sync.WaitGroup
}

// New returns an emulator that keeps everything in memory.
// Close it when it is not needed any more.
func New(cfg Config) *Emulator { return newEmulator(cfg, "") }

func newEmulator(cfg Config, blobDir string) *Emulator {
	publicURL := strings.TrimSuffix(cfg.PublicURL, "/")
	cfg = cfg.withDefaults()
	e := &Emulator{
		config: cfg, publicURL: publicURL, blobs: newBlobs(blobDir),
		apps:   map[uuid.UUID]*app{},
		tokens: map[string]bool{},
		random: newRandomness(cfg.Seed),
		log:    newRequestLog(cfg.LogSize, cfg.Rate),
	}
	e.faults = &faults{random: e.random}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.random.fill(e.secret[:])
	for _, a := range cfg.Apps {
		id := a.ID.UUID()
		if e.apps[id] == nil {
			e.apps[id] = newApp(e, id)
		}
		e.apps[id].tokens[a.Token] = true
		e.tokens[a.Token] = true
	}
	e.control = e.controls()
	return e
}

// ServeHTTP answers one request.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_emulator" || strings.HasPrefix(r.URL.Path, "/_emulator/") {
		e.serveControl(w, r)
		return
	}
	storage := e.isStorage(r)
	t, admitted := e.log.arrive(r, !storage)
	if !admitted {
		e.log.finish(t, http.StatusTooManyRequests, false)
		e.tooManyRequests().write(w, r)
		return
	}
	p := e.faults.choose(r.Method, r.URL.EscapedPath())
	if delay := e.config.Latency + p.before; delay > 0 || p.fault != nil && p.Hang {
		buffer(r)
		wait(r.Context(), delay)
	}
	c := &call{e: e, r: r}
	var a answer
	if !p.instead() || p.AfterCommit {
		if storage {
			a = e.serveStorage(r)
		} else {
			a = c.answer()
		}
	}
	wait(r.Context(), p.after)
	a = p.shape(e, a)
	status := a.status
	if p.fault != nil && (p.DropConnection || p.Hang) {
		status = 0
	}
	e.log.finish(t, status, c.duplicate)
	if e.config.Log.Enabled(r.Context(), slog.LevelDebug) {
		e.config.Log.DebugContext(r.Context(), "request", "n", t.n, "method", r.Method, "path", r.URL.EscapedPath(), "status", status, "duplicate", c.duplicate)
	}
	p.send(w, r, a)
}

// tooManyRequests is the answer above the limit.
func (e *Emulator) tooManyRequests() answer {
	f := &failure{kind: rateLimitExceeded, url: docsPlatform, message: "There were too many requests.", empty: !e.config.Switches.RateLimitBody}
	return f.answer()
}

// buffer reads the body of a request before a delay: a slow service has taken
// the request in, so the work is done even if the caller leaves meanwhile. And
// net/http notices that only once the body was read.
func buffer(r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/apps/") {
		return // an upload may be larger than memory
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody+1))
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
}

// failing is what is left of a body after an error.
type failing struct{ err error }

// Read returns the error, or the end of the body where there was none.
func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

func (c *call) answer() answer {
	a, f := c.serve()
	if f != nil {
		if f.unsettled && c.e.config.Switches.BadValue400 {
			f = badRequest(f.message)
		}
		return f.answer()
	}
	return a
}

// HTTPServer returns a server for the emulator with sensible timeouts, ready
// for Serve or ServeTLS, which speaks HTTP/1.1 and HTTP/2.
func (e *Emulator) HTTPServer() *http.Server {
	return &http.Server{
		Handler:           e,
		ConnContext:       ConnContext,
		ErrorLog:          slog.NewLogLogger(e.config.Log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       5 * time.Minute,
	}
}

// Stats returns the counts that GET /_emulator/stats answers.
func (e *Emulator) Stats() Stats {
	s := e.log.stats()
	for _, a := range e.apps {
		a.count(&s)
	}
	return s
}

// Requests returns up to limit remembered requests that arrived after number
// since, in order of arrival.
func (e *Emulator) Requests(since int64, limit int) []Request { return e.log.after(since, limit) }

// SetRate changes the limit.
func (e *Emulator) SetRate(r Rate) { e.log.setRate(r) }

// SetFaults replaces the rules in force. It fails, and changes nothing, if one
// of them is wrong.
func (e *Emulator) SetFaults(rules ...Rule) error {
	compiled, err := compileAll(rules)
	if err == nil {
		e.faults.set(compiled)
	}
	return err
}

// AddFaults adds rules after those in force. It fails, and changes nothing, if
// one of them is wrong.
func (e *Emulator) AddFaults(rules ...Rule) error {
	compiled, err := compileAll(rules)
	if err == nil {
		e.faults.add(compiled...)
	}
	return err
}

// Faults returns the rules in force, with what is left of their counts.
func (e *Emulator) Faults() []Rule { return e.faults.list() }

// Reset forgets everything: what is stored, requests, counts and faults. The
// limit is again the one of [Config]. With [Open], an error says that what is
// kept on disk could not be forgotten.
func (e *Emulator) Reset() error {
	e.faults.set(nil)
	e.log.setRate(Rate{})
	e.log.setRate(e.config.Rate)
	kept := make([]promise, 0, len(e.apps))
	for _, a := range e.apps {
		kept = append(kept, a.reset())
	}
	e.random.reset()
	e.log.reset()
	err := e.blobs.clear()
	for _, p := range kept {
		err = errors.Join(err, p.wait())
	}
	return err
}

// start runs f in the background, unless the emulator was closed.
func (e *Emulator) start(f func()) {
	e.starting.Lock()
	defer e.starting.Unlock()
	if !e.closed {
		e.background.Go(f)
	}
}

// after runs f in the background when d has passed, unless the emulator was
// closed by then. The caller holds the lock of the app whose [app.stop] stops the
// timer; once Close got there, nothing is planned any more and there is none.
func (e *Emulator) after(d time.Duration, f func()) *time.Timer {
	if e.ctx.Err() != nil {
		return nil
	}
	return time.AfterFunc(d, func() { e.start(f) })
}

// Close ends what goes on in the background: delayed messages, queued patches,
// webhooks, exports. With [Open], it writes what is left, and lets others use the
// directory. No request may be under way.
func (e *Emulator) Close() error {
	e.starting.Lock()
	e.closed = true
	e.starting.Unlock()
	e.cancel()
	for _, a := range e.apps {
		a.mu.Lock()
		a.stop()
		a.mu.Unlock()
	}
	e.background.Wait()
	e.config.WebhookClient.CloseIdleConnections()
	err := e.blobs.close()
	if e.journal != nil {
		err = errors.Join(err, e.journal.close(), e.unlock())
	}
	return err
}
