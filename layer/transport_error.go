package layer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Kind says what kept an answer of Layer from arriving.
type Kind string

// The kinds of a [TransportError].
const (
	KindConnect     Kind = "connect"      // no connection: refused, unreachable, unknown host
	KindTLS         Kind = "tls"          // the connection could not be secured
	KindTimeout     Kind = "timeout"      // no complete answer within the timeout of one attempt
	KindCut         Kind = "cut"          // the connection ended before the answer was complete
	KindCanceled    Kind = "canceled"     // the caller's context ended
	KindContentType Kind = "content_type" // a success, but its body is not JSON
	KindBody        Kind = "body"         // a success, but its body is not the resource
	KindTooLarge    Kind = "too_large"    // a success, but its body exceeds every bound
	KindLimiter     Kind = "limiter"      // the limiter gave no permit
)

// TransportError is a request without a usable answer: whether Layer carried it
// out is unknown. It never holds the token, nor a body, nor the signature
// of an upload or download URL.
//
// errors.Is finds what was underneath, such as context.DeadlineExceeded.
type TransportError struct {
	Kind Kind
	// Method and Path are the request's.
	Method, Path string
	// Status is the HTTP status, if the answer got so far.
	Status int
	// Detail says more, such as the content type that came.
	Detail string
	// Err is what was underneath; nil where Kind and Detail say all.
	Err error
}

// Error tells what was tried and what happened.
func (e *TransportError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "layer: %s %s: ", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d, but ", e.Status)
	}
	b.WriteString(e.what())
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	return b.String()
}

func (e *TransportError) what() string {
	switch e.Kind {
	case KindConnect:
		return "no connection"
	case KindTLS:
		return "no secure connection"
	case KindTimeout:
		return "no complete answer in time"
	case KindCut:
		return "the connection was cut before the answer was complete"
	case KindCanceled:
		return "given up by the caller"
	case KindContentType:
		return "the answer is not JSON"
	case KindBody:
		return "the answer cannot be read"
	case KindTooLarge:
		return "the answer is too large"
	case KindLimiter:
		return "no permit to call"
	default:
		return string(e.Kind)
	}
}

// Unwrap gives what was underneath.
func (e *TransportError) Unwrap() error { return e.Err }

// transportError sorts an error of net/http into its kind. Details are chosen,
// not copied: error texts of net/http quote URLs and pieces of answers.
func transportError(ctx context.Context, err error) *TransportError {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its text repeats the whole URL
	}
	if cause := context.Cause(ctx); cause != nil {
		kind := KindCanceled
		if errors.Is(cause, errAttemptTimeout) {
			kind = KindTimeout
			cause = context.DeadlineExceeded
		}
		return &TransportError{Kind: kind, Err: cause, Detail: cause.Error()}
	}
	kind, detail := classify(err)
	return &TransportError{Kind: kind, Err: err, Detail: detail}
}

func classify(err error) (Kind, string) {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return KindConnect, op.Error()
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return KindTimeout, ""
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return KindTLS, "the server does not speak TLS"
	}
	if isTLS(err) {
		return KindTLS, err.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return KindConnect, dns.Error()
	}
	return KindCut, ""
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}
