package layer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Put sends the bytes of req.Body to the UploadURL of content that was just made
// by [ContentService.Create], in one request and without the token. Repeatable:
// the same bytes may be sent again.
//
// It fails with a [*FieldError] if req.Body does not have req.Size bytes, with
// the error of req.Body if reading it fails, and with an [*Error] if the storage
// does not take them; a 404 or 410 then means that the UploadURL is over. There
// is no bound on the time it takes but the client's timeout on how long the
// storage takes no byte; what req.Body takes to read does not count.
//
// Layer docs: Platform API, rich content, uploading.
func (s *ContentService) Put(ctx context.Context, content *Content, req UploadRequest) error {
	const operation = "content.put"
	target, wrong := signedURL("upload_url", content.UploadURL)
	if err := refuse(operation, wrong, req.Validate()); err != nil {
		return err
	}
	source := newSource(req.Body, req.Size)
	call := &call{operation: operation, method: http.MethodPut, once: !source.canRewind(), shown: shownURL(target)}
	_, err := s.client.repeat(ctx, call, func(number int) (*reply, error) {
		if err := source.rewind(number); err != nil {
			return nil, err
		}
		return s.client.measured(ctx, call, number, s.client.isOwnHost(target), func(*permit) (*reply, error) {
			return s.client.put(ctx, call, target, source, req.MIMEType)
		})
	})
	return err
}

// put is one attempt.
func (c *Client) put(ctx context.Context, call *call, target *url.URL, source *source, mimeType string) (*reply, error) {
	ctx, stall := watchStall(ctx, c.timeout)
	defer stall.end()
	body := source.body(stall)
	request, err := http.NewRequestWithContext(ctx, call.method, target.String(), body)
	if err != nil {
		return nil, refuse(call.operation, &FieldError{Field: "upload_url", Problem: "is no URL"})
	}
	request.ContentLength = source.size
	request.Header.Set("Content-Type", mimeType)
	request.Header.Set("User-Agent", c.userAgent)
	response, err := c.storage.Do(request)
	if err == nil {
		defer finish(response.Body)
	}
	if failure := body.detach(); failure != nil {
		return nil, refuse(call.operation, failure)
	}
	if err != nil {
		return nil, call.failed(transportError(ctx, err))
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, c.readError(ctx, call, response)
	}
	if !body.done() {
		return nil, call.failed(&TransportError{Kind: KindCut, Status: response.StatusCode, Detail: "not all bytes were taken"})
	}
	return &reply{status: response.StatusCode, header: response.Header}, nil
}

// Download opens uploaded content for reading, by a part's [ContentRef] or one
// that has an ID only. It uses the DownloadURL while that is valid, and asks for a
// fresh one otherwise. The caller closes the reader.
//
// The bytes are streamed. Reading fails with a [*TransportError] if the connection
// is cut, if no byte moves for the client's timeout, and if there are fewer or more bytes
// than ref.Size. Fails as [ContentService.Refresh] does.
//
// Layer docs: Platform API, rich content, downloading.
func (s *ContentService) Download(ctx context.Context, conversation ConversationID, ref ContentRef) (io.ReadCloser, error) {
	const operation = "content.download"
	if err := refuse(operation, missingID("conversation", conversation), missingID("content", ref.ID)); err != nil {
		return nil, err
	}
	if ref.DownloadURL != "" && (ref.Expiration.IsZero() || time.Now().Before(ref.Expiration)) {
		body, err := s.open(ctx, ref)
		if !isExpired(err) {
			return body, err
		}
	}
	fresh, err := s.Refresh(ctx, conversation, ref.ID)
	if err != nil {
		return nil, err
	}
	ref.DownloadURL = fresh.DownloadURL
	if ref.Size == 0 {
		ref.Size = fresh.Size
	}
	return s.open(ctx, ref)
}

// isExpired recognises what storages answer to a signature that is over.
func isExpired(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains([]int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone,
	}, e.Status)
}

func (s *ContentService) open(ctx context.Context, ref ContentRef) (io.ReadCloser, error) {
	target, err := signedURL("download_url", ref.DownloadURL)
	if err != nil {
		return nil, refuse("content.download", err)
	}
	call := &call{operation: "content.download", method: http.MethodGet, shown: shownURL(target)}
	var opened *download
	_, err = s.client.repeat(ctx, call, func(number int) (*reply, error) {
		return s.client.measured(ctx, call, number, s.client.isOwnHost(target), func(permit *permit) (*reply, error) {
			var err error
			opened, err = s.client.get(permit.traced(ctx, call.method), call, target, ref.Size)
			if err != nil {
				return nil, err
			}
			return &reply{status: http.StatusOK}, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// get is one attempt; the body stays open.
func (c *Client) get(ctx context.Context, call *call, target *url.URL, size int64) (*download, error) {
	ctx, stall := watchStall(ctx, c.timeout)
	request, err := http.NewRequestWithContext(ctx, call.method, target.String(), nil)
	if err != nil {
		stall.end()
		return nil, refuse(call.operation, &FieldError{Field: "download_url", Problem: "is no URL"})
	}
	request.Header.Set("User-Agent", c.userAgent)
	request.Header.Set("Accept-Encoding", "identity") // the bytes as they were uploaded
	response, err := c.storage.Do(request)
	if err != nil {
		defer stall.end()
		return nil, call.failed(transportError(ctx, err))
	}
	if response.StatusCode != http.StatusOK {
		defer stall.end()
		defer finish(response.Body)
		if response.StatusCode < 300 { // 206 and the like are not the whole
			return nil, call.failed(&TransportError{Kind: KindBody, Status: response.StatusCode, Detail: "want 200"})
		}
		return nil, c.readError(ctx, call, response)
	}
	stall.pause()
	return &download{ctx: ctx, call: call, stall: stall, body: response.Body, size: size}, nil
}

// signedURL reads a URL that Layer gave. It is not quoted: its query is a key to
// the content.
func signedURL(field, raw string) (*url.URL, error) {
	if raw == "" {
		return nil, &FieldError{Field: field, Problem: "is missing"}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &FieldError{Field: field, Problem: "is no http or https URL"}
	}
	return u, nil
}

// shownURL is a signed URL as errors show it.
func shownURL(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

// isOwnHost tells whether a URL leads to the API itself, where it counts against the
// API's limit, and not to a storage elsewhere.
func (c *Client) isOwnHost(u *url.URL) bool { return u.Host == c.base.Host }

// noRedirectedPut keeps net/http from turning a redirected PUT into a GET, whose
// success would look like that of the upload.
func noRedirectedPut(_ *http.Request, via []*http.Request) error {
	const most = 5
	if via[0].Method == http.MethodPut || len(via) >= most {
		return http.ErrUseLastResponse
	}
	return nil
}
