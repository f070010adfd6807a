package tasks

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
)

// The schemes that a source may have.
const (
	schemeHTTPS = "https"
	schemeFile  = "file"
	schemeData  = "data"
)

// maxSourceURL is the longest URL of a source that is no data: URL, as browsers
// and servers commonly have it.
const maxSourceURL = 2048

// checkSource reports, by member, what is wrong with a part that has a source.
// What the source holds is only known when it is opened.
func checkSource(p Part) error {
	if p.Body != "" || p.Encoding != "" {
		return wrong("source", "stands in place of body and encoding; leave one out")
	}
	if err := (layer.UploadRequest{MIMEType: p.MIMEType, Size: 1, Body: strings.NewReader("")}).Validate(); err != nil {
		return err
	}
	_, err := parseSource(p.Source)
	return err
}

// parseSource reads the URL of a source. Its text is not quoted: what is secret
// about a signed URL is in it.
func parseSource(source string) (*url.URL, error) {
	switch {
	case !utf8.ValidString(source):
		return nil, wrong("source", "is not valid UTF-8")
	case strings.HasPrefix(source, schemeData+":"):
		_, err := decodeData(source)
		return &url.URL{Scheme: schemeData}, err
	case len(source) > maxSourceURL:
		return nil, wrong("source", "is %d bytes, at most %d are taken", len(source), maxSourceURL)
	}
	u, err := url.Parse(source)
	if err != nil {
		return nil, wrong("source", "is no URL")
	}
	switch u.Scheme {
	case schemeHTTPS:
		return u, checkHTTPS(u)
	case schemeFile:
		return u, checkFile(u)
	case "":
		return nil, wrong("source", "has no scheme; want https:, file: or data:")
	default:
		return nil, wrong("source", "has the scheme %s; want https:, file: or data:", wording.Quote(u.Scheme))
	}
}

func checkHTTPS(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return wrong("source", "has no host")
	case u.User != nil:
		return wrong("source", "holds a user; a password would lie open in the queue")
	default:
		return nil
	}
}

func checkFile(u *url.URL) error {
	switch {
	case u.Host != "" && u.Host != "localhost":
		return wrong("source", "names a host; want file:///absolute/path")
	case !filepath.IsAbs(u.Path) || strings.ContainsRune(u.Path, 0):
		return wrong("source", "has no absolute path; want file:///absolute/path")
	case u.RawQuery != "" || u.Fragment != "":
		return wrong("source", "has something behind the path; write ? as %%3F and # as %%23")
	default:
		return nil
	}
}

// dataPrefix is all that is taken of a data: URL before its content: the type is
// that of the part.
const dataPrefix = "data:;base64,"

func encodeData(content []byte) string {
	return dataPrefix + base64.StdEncoding.EncodeToString(content)
}

func decodeData(source string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(source, dataPrefix)
	if !ok {
		return nil, wrong("source", "is a data: URL of another form; want %s...", dataPrefix)
	}
	content, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, wrong("source", "is not base64 (standard alphabet, padded)")
	}
	if len(content) == 0 {
		return nil, wrong("source", "is empty")
	}
	return content, nil
}

// shownSource is a source as errors show it: without the query, which may be a
// signature, and without the content of a data: URL.
func shownSource(u *url.URL) string {
	switch u.Scheme {
	case schemeData:
		return "data:"
	case schemeFile:
		return "file://" + u.EscapedPath()
	default:
		return u.Scheme + "://" + u.Host + u.EscapedPath()
	}
}

// SourceError says why the content of a part could not be had by a worker.
type SourceError struct {
	Field  string // such as "parts[0].source"
	Source string // the URL, without its query
	// Problem tells what happened.
	Problem string
	// Temporary means that it may work later.
	Temporary bool
	Err       error // what was underneath; a [layer.TransportError] if Temporary
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("tasks: %s: %s: %s", e.Field, e.Source, e.Problem)
}

// Unwrap returns what was underneath.
func (e *SourceError) Unwrap() error { return e.Err }
