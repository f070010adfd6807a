package tasks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
)

const (
	// maxRedirects is how often a source may point elsewhere.
	maxRedirects = 5

	// maxUnknown is the most that is kept in memory of a source whose server does
	// not tell its size: Layer wants to know it before the upload.
	maxUnknown = 8 << 20

	// maxIdle is how long no byte may come. It is shorter than the time after which
	// a client of Layer gives up an upload for the same reason, so that the source
	// is named.
	maxIdle = 8 * time.Second
)

// fetcher fetches https: sources. It uses no proxy from the environment: that
// would connect to addresses in its place.
type fetcher struct {
	client *http.Client
	idle   time.Duration // in which at least one byte must come
}

// newFetcher trusts the certificate authorities of the system where roots is nil.
func newFetcher(allowPrivate bool, roots *x509.CertPool) *fetcher {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if !allowPrivate {
		dialer.ControlContext = refusePrivate
	}
	transport := &http.Transport{
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       30 * time.Second,
		MaxIdleConns:          16,
		DisableCompression:    true, // the bytes and the size as they are
	}
	return &fetcher{client: &http.Client{Transport: transport, CheckRedirect: checkRedirect}, idle: maxIdle}
}

var errRedirect = errors.New("is redirected to what is no source")

// checkRedirect holds every redirection to the rules of the first URL; the
// address is looked at by the dialer.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d times", errRedirect, maxRedirects)
	}
	if req.URL.Scheme != schemeHTTPS {
		return fmt.Errorf("%w: not by https", errRedirect)
	}
	if err := checkHTTPS(req.URL); err != nil {
		return fmt.Errorf("%w: %w", errRedirect, err)
	}
	return nil
}

// open starts to fetch a source.
func (f *fetcher) open(ctx context.Context, u *url.URL, most int64) (*opened, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	content, err := f.get(ctx, cancel, u, most)
	if err != nil {
		cancel(nil)
	}
	return content, err
}

func (f *fetcher) get(ctx context.Context, cancel context.CancelCauseFunc, u *url.URL, most int64) (*opened, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, permanent(u, "is no URL")
	}
	req.Header.Set("User-Agent", "layerq")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, fetchError(ctx, u, err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, statusError(u, resp.StatusCode)
	}
	body := &sourceBody{ctx: ctx, cancel: cancel, body: resp.Body, url: u, idle: f.idle}
	if resp.ContentLength >= 0 {
		return &opened{body, resp.ContentLength}, nil
	}
	defer body.Close()
	return readUnknown(u, body, min(most, maxUnknown))
}

// readUnknown reads a source to find out its size.
func readUnknown(u *url.URL, body io.Reader, most int64) (*opened, error) {
	content, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(content)) > most:
		return nil, permanent(u, "the server does not tell its size, and it is over %d bytes", most)
	default:
		return inMemory(content), nil
	}
}

func statusError(u *url.URL, status int) error {
	switch {
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return temporary(u, &layer.TransportError{Kind: layer.KindBody, Method: http.MethodGet, Path: shownSource(u), Status: status}, "the server answered %d", status)
	default:
		return permanent(u, "the server answered %d", status)
	}
}

// fetchError tells what will be the same the next time from what may not.
func fetchError(ctx context.Context, u *url.URL, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its text has the whole URL
	}
	switch {
	case ctx.Err() != nil:
		return interrupted(ctx, u)
	case errors.Is(err, errPrivate):
		return permanent(u, "%v", errPrivate)
	case errors.Is(err, errRedirect):
		return permanent(u, "%v", err)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return permanent(u, "there is no host %s", wording.Quote(dns.Name))
	}
	return temporary(u, err, "cannot be fetched: %s", fetchProblem(err))
}

// fetchProblem is chosen by the kind of an error, not copied: texts of net/http
// quote URLs, with signatures in them, and pieces of answers.
func fetchProblem(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return dialProblem(op)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "no answer in time"
	}
	if problem := tlsProblem(err); problem != "" {
		return problem
	}
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was cut"
	default:
		return "no usable answer came"
	}
}

// dialProblem has only what the system and the resolver say, and the host, which
// may be one that a redirection led to.
func dialProblem(op *net.OpError) string {
	if op.Timeout() {
		return "no connection in time"
	}
	if errno, ok := errors.AsType[syscall.Errno](op.Err); ok {
		return "no connection: " + errno.Error()
	}
	if _, ok := errors.AsType[*net.DNSError](op.Err); ok {
		return "the host's name cannot be looked up"
	}
	return "no connection"
}

// tlsProblem is empty where the connection was not what failed to be secured.
func tlsProblem(err error) string {
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "the server does not speak TLS"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the server's certificate is of an unknown authority"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the server's certificate is of another host"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "the server's certificate has expired or is not valid yet"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the server's certificate is not valid"
	}
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		return alert.Error() // one of a fixed list
	}
	return ""
}

// sourceBody reads what is fetched. It ends a fetch in which no byte comes, and
// says what went wrong as the rest does.
type sourceBody struct {
	ctx    context.Context //nolint:containedctx // tells an end of ours from one of the server's
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	url    *url.URL
	idle   time.Duration
}

// Read implements io.Reader.
func (b *sourceBody) Read(buffer []byte) (int, error) {
	// Only the time in here counts: who reads may take its own.
	timer := time.AfterFunc(b.idle, func() { b.cancel(errIdle) })
	defer timer.Stop()
	n, err := b.body.Read(buffer)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, fetchError(b.ctx, b.url, err)
}

// Close implements io.Closer.
func (b *sourceBody) Close() error {
	defer b.cancel(nil)
	return b.body.Close()
}

func permanent(u *url.URL, format string, args ...any) error {
	return &SourceError{Source: shownSource(u), Problem: fmt.Sprintf(format, args...)}
}

// temporary is a failure that may pass. Underneath is a [layer.TransportError],
// so that whoever decides about attempts repeats it like one.
func temporary(u *url.URL, err error, format string, args ...any) error {
	if _, ok := errors.AsType[*layer.TransportError](err); !ok {
		err = &layer.TransportError{Kind: layer.KindConnect, Method: http.MethodGet, Path: shownSource(u), Err: err}
	}
	return &SourceError{Source: shownSource(u), Problem: fmt.Sprintf(format, args...), Temporary: true, Err: err}
}

// Why a fetch was ended by ourselves.
var (
	errFetchTimeout = errors.New("took too long")
	errIdle         = errors.New("sends no more bytes")
)

// interrupted is what the end of ctx makes of a fetch. Where it was not for our
// own timeouts nothing is known of the source, and nothing is wrong with it.
func interrupted(ctx context.Context, u *url.URL) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, errFetchTimeout) || errors.Is(cause, errIdle) {
		return temporary(u, cause, "%v", cause)
	}
	return &layer.TransportError{
		Kind: layer.KindCanceled, Method: http.MethodGet, Path: shownSource(u),
		Detail: cause.Error(), Err: cause,
	}
}
