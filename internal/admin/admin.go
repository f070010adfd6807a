package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"
)

// Options are what the pages are made from. All fields but Token and Version
// are required.
type Options struct {
	// Addr is the configured listen address: a request may name its host.
	Addr string
	// Token is the admin token; without one see the package's rules.
	Token string
	// Version is shown on the start page.
	Version string
	// Redis is asked by asynqmon. It is not closed.
	Redis redis.UniversalClient
	// Metrics are served below /metrics.
	Metrics prometheus.Gatherer
	// Ready returns why the worker is not ready; nothing if it is. It returns
	// when its context ends at the latest.
	Ready func(context.Context) []string
	// Page returns what the start page shows. It returns when its context ends
	// at the latest.
	Page func(context.Context) Page
	// Log gets what goes wrong with a request.
	Log *slog.Logger
}

// Admin is the handler of the admin address. Safe for concurrent use.
type Admin struct {
	opts  Options
	guard *guard
	log   *slog.Logger
	mux   *http.ServeMux
}

// New returns the handler of the admin address.
func New(opts Options) *Admin {
	a := &Admin{opts: opts, guard: newGuard(opts.Token, opts.Addr), log: opts.Log, mux: http.NewServeMux()}

	a.mux.HandleFunc("GET /livez", a.livez)
	a.mux.HandleFunc("GET /readyz", a.readyz)
	a.mux.Handle("GET /metrics", promhttp.HandlerFor(opts.Metrics, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(opts.Log.Handler(), slog.LevelWarn),
		ErrorHandling: promhttp.ContinueOnError,
		Timeout:       5 * time.Second,
	}))
	a.mux.HandleFunc("GET /login", a.login)
	a.mux.HandleFunc("POST /login", a.login)

	a.mux.Handle("GET /{$}", a.guarded(http.HandlerFunc(a.start)))
	a.mux.Handle("POST /logout", a.guarded(http.HandlerFunc(a.logout)))
	monitor := newMonitor(opts.Redis, opts.Token == "")
	a.mux.Handle(monitorPath+"/", a.guarded(monitor))
	a.mux.Handle("/", a.guarded(http.NotFoundHandler()))
	for path, allowed := range map[string]string{
		"/livez": "GET, HEAD", "/readyz": "GET, HEAD", "/metrics": "GET, HEAD", "/{$}": "GET, HEAD",
		"/login": "GET, HEAD, POST", "/logout": "POST",
	} {
		a.mux.Handle(path, notAllowed(allowed))
	}
	return a
}

// notAllowed answers the methods that a page does not have. The mux would do
// so by itself, were there nothing that takes all other paths.
func notAllowed(allowed string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allowed)
		http.Error(w, "this page takes "+allowed, http.StatusMethodNotAllowed)
	})
}

// ServeHTTP serves one request.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Not no-referrer: browsers then send "Origin: null" with our own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	a.mux.ServeHTTP(w, r)
}

// guarded serves next to those whom the guard lets pass.
func (a *Admin) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refused := a.guard.check(r); refused.status != 0 {
			a.refuse(w, r, refused)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *Admin) refuse(w http.ResponseWriter, r *http.Request, why refusal) {
	a.log.Debug("admin request refused", "peer", r.RemoteAddr, "path", r.URL.Path, "reason", why.reason)
	if why.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="layerq"`)
		if r.Method == http.MethodGet && acceptsHTML(r) {
			a.showLogin(w, why.status, "")
			return
		}
	}
	http.Error(w, why.reason, why.status)
}

// Listen opens the admin address. A port that is taken is an error that names
// the setting.
func Listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("LAYERQ_ADMIN_ADDR (--admin-addr): %s is taken by another process; choose another address, for example %s", addr, alternative(addr))
	}
	if err != nil {
		return nil, fmt.Errorf("LAYERQ_ADMIN_ADDR (--admin-addr): cannot listen on %s: %w", addr, err)
	}
	return ln, nil
}

// alternative is an address that may be free: that with the next port.
func alternative(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	n, notNumber := strconv.Atoi(port)
	if err != nil || notNumber != nil || n >= math.MaxUint16 {
		n = 8080
	}
	return net.JoinHostPort(host, strconv.Itoa(n+1))
}

// Serve answers requests on ln until ctx ends, and then returns nil once those
// under way are answered, or after a second. ln is closed.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if srv.Shutdown(last) != nil {
			_ = srv.Close() // what hangs is cut
		}
	})
	err := srv.Serve(ln)
	if stop() {
		return fmt.Errorf("admin address %s: %w", ln.Addr(), err)
	}
	<-closed
	return nil
}
