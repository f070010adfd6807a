package layertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The storage that rich content is uploaded to and downloaded from was
// another service, with signed addresses of its own: here it is another part
// of the emulator, on the host that the request for the address went to.
//
// Layer docs: platform, rich content.
const (
	uploadPath   = "/upload/storage/v1/b/layer/o"
	downloadPath = "/storage/layer/"
)

func (e *Emulator) isStorage(r *http.Request) bool {
	return r.URL.Path == uploadPath || strings.HasPrefix(r.URL.Path, downloadPath)
}

// storageURL is the base of the storage's addresses.
func (c *call) storageURL() string {
	switch {
	case c.e.publicURL != "":
		return c.e.publicURL
	case c.r.TLS != nil:
		return "https://" + c.r.Host
	default:
		return "http://" + c.r.Host
	}
}

// sign makes what cannot be guessed out of what can.
func (e *Emulator) sign(text string) string {
	mac := hmac.New(sha256.New, e.secret[:])
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

func (c *call) uploadURL(ct *content) string {
	name := c.app.id.String() + "/" + ct.id.String()
	q := url.Values{"uploadType": {"resumable"}, "name": {name}, "upload_id": {c.e.sign("upload " + name)}}
	return c.storageURL() + uploadPath + "?" + q.Encode()
}

func (c *call) downloadURL(id uuid.UUID, expires time.Time) string {
	at := strconv.FormatInt(expires.Unix(), 10)
	path := downloadPath + c.app.id.String() + "/" + id.String()
	return c.storageURL() + path + "?Expires=" + at + "&Signature=" + c.e.sign("download "+path+" "+at)
}

// serveStorage answers uploads and downloads. They carry no token: the address
// is the permission.
func (e *Emulator) serveStorage(r *http.Request) answer {
	switch {
	case r.URL.Path == uploadPath && (r.Method == http.MethodPut || r.Method == http.MethodPost):
		return e.upload(r)
	case r.URL.Path != uploadPath && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return e.download(r)
	default:
		return storageError(http.StatusMethodNotAllowed, "MethodNotAllowed", "The method is not allowed.")
	}
}

// storageError is an error in the form of the storage, which is XML.
func storageError(status int, code, message string) answer {
	return answer{
		status: status, contentType: "application/xml; charset=UTF-8",
		body: fmt.Appendf(nil, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>%s</Message></Error>", code, message),
	}
}

// stored finds the app and the content that a name of the storage stands for.
func (e *Emulator) stored(name string) (*app, uuid.UUID, bool) {
	appID, id, _ := strings.Cut(name, "/")
	parsed, ok := parseID(appID)
	a := e.apps[parsed]
	contentID, isID := parseID(id)
	return a, contentID, ok && isID && a != nil
}

// upload takes the bytes of a content whole. Uploading again replaces them.
func (e *Emulator) upload(r *http.Request) answer {
	name := r.URL.Query().Get("name")
	a, id, ok := e.stored(name)
	if !ok || !hmac.Equal([]byte(r.URL.Query().Get("upload_id")), []byte(e.sign("upload "+name))) {
		return storageError(http.StatusNotFound, "NoSuchUpload", "There is no such upload.")
	}
	a.mu.RLock()
	ct := a.contents[id]
	a.mu.RUnlock()
	if ct == nil {
		return storageError(http.StatusNotFound, "NoSuchUpload", "There is no such upload.")
	}
	if r.ContentLength >= 0 && r.ContentLength != ct.size {
		return storageError(http.StatusBadRequest, "InvalidArgument", "The length is not the one announced.")
	}
	err := e.blobs.put(ct.id, r.Body, ct.size)
	switch {
	case errors.Is(err, errSize), errors.Is(err, io.ErrUnexpectedEOF):
		return storageError(http.StatusBadRequest, "InvalidArgument", "The length is not the one announced.")
	case err != nil:
		e.config.Log.Error("content could not be stored", "error", err)
		return storageError(http.StatusInternalServerError, "InternalError", "The content could not be stored.")
	}
	_, f := a.update(func(tx *tx) (answer, *failure) {
		ct.uploaded = true
		tx.touch(ct)
		return answer{}, nil
	})
	if f != nil {
		return storageError(http.StatusInternalServerError, "InternalError", "The content could not be stored.")
	}
	out := jsonAnswer(http.StatusOK, map[string]string{
		"kind": "storage#object", "id": "layer/" + name, "name": name, "bucket": "layer",
		"size": strconv.FormatInt(ct.size, 10), "contentType": ct.mime,
	})
	return out
}

// download answers with the bytes, also ranges of them, until the address
// expires.
func (e *Emulator) download(r *http.Request) answer {
	q := r.URL.Query()
	expires, err := strconv.ParseInt(q.Get("Expires"), 10, 64)
	if err != nil || !hmac.Equal([]byte(q.Get("Signature")), []byte(e.sign("download "+r.URL.Path+" "+q.Get("Expires")))) {
		return storageError(http.StatusForbidden, "SignatureDoesNotMatch", "The signature does not match.")
	}
	if time.Now().Unix() >= expires {
		return storageError(http.StatusBadRequest, "ExpiredToken", "The address has expired.")
	}
	a, id, ok := e.stored(strings.TrimPrefix(r.URL.Path, downloadPath))
	if !ok {
		return storageError(http.StatusNotFound, "NoSuchKey", "There is no such object.")
	}
	mime := "application/octet-stream"
	a.mu.RLock()
	if ct := a.contents[id]; ct != nil {
		mime = ct.mime
	}
	a.mu.RUnlock()
	size, err := e.blobs.size(id)
	if err != nil {
		return storageError(http.StatusNotFound, "NoSuchKey", "There is no such object.")
	}
	return answer{status: http.StatusOK, size: size, stream: func(w http.ResponseWriter, r *http.Request) {
		blob, err := e.blobs.open(id)
		if err != nil { // removed just now
			storageError(http.StatusNotFound, "NoSuchKey", "There is no such object.").write(w, r)
			return
		}
		defer blob.Close()
		w.Header().Set("Content-Type", mime)
		http.ServeContent(w, r, "", time.Time{}, blob)
	}}
}
