package layer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ContentService uploads and downloads rich content: the bytes of message parts
// over 2 KB. They go to and come from a storage by signed URLs, which never see
// the token.
type ContentService struct{ service }

// Content is rich content as Layer tells it. It belongs to the conversation that
// it was made in.
type Content struct {
	ID   ContentID `json:"id"`
	Size int64     `json:"size"`
	// UploadURL takes the bytes; it is there only when the content was just made.
	UploadURL string `json:"upload_url"`
	// DownloadURL gives them until Expiration; it is there once they were uploaded.
	DownloadURL string    `json:"download_url"`
	RefreshURL  string    `json:"refresh_url"`
	Expiration  time.Time `json:"expiration"`
}

func (c *Content) accept() error {
	if c.ID.IsZero() {
		return errNoID
	}
	c.Expiration = c.Expiration.UTC()
	return nil
}

// Part is the part that sends the content.
func (c *Content) Part(mimeType string) Part {
	return Part{MIMEType: mimeType, Content: &ContentRef{ID: c.ID, Size: c.Size}}
}

// UploadRequest describes rich content to be uploaded.
type UploadRequest struct {
	// MIMEType is that of the part later.
	MIMEType string
	// Size is how many bytes Body has: 1 to [MaxContent].
	Size int64
	// Body is read as it is sent, and not closed. An upload that fails on the way is
	// repeated only if Body is an [io.Seeker]; it is read from where it stands.
	Body io.Reader
	// Origin is for uploads by browsers: their page's origin, for CORS. Optional.
	Origin string
}

// Validate checks type, size and origin; of the body, that there is one.
func (r UploadRequest) Validate() error {
	p := r.validateAnnouncement()
	if r.Body == nil {
		p.add("body", "is missing")
	}
	return p.err()
}

func (r UploadRequest) validateAnnouncement() problems {
	var p problems
	if p.required("mime_type", r.MIMEType) && !isHeaderValue(r.MIMEType) {
		p.add("mime_type", "contains control characters")
	}
	p.contentSize("size", r.Size)
	if !isHeaderValue(r.Origin) {
		p.add("origin", "contains control characters")
	}
	return p
}

// Create asks for a place to upload req.Size bytes to; req.Body is not used. The
// content returned has an UploadURL for [ContentService.Put], or for a browser.
//
// With the same dedupe UUID Layer answers with the content that it made first;
// with uuid.Nil every call makes a new one, and none is repeated on failure.
//
// Layer docs: Platform API, rich content, initiating an upload.
//
//layer:operation POST /apps/:app/conversations/:conversation/content
func (s *ContentService) Create(ctx context.Context, conversation ConversationID, dedupe uuid.UUID, req UploadRequest) (*Content, error) {
	const operation = "content.create"
	if err := refuse(operation, missingID("conversation", conversation), req.validateAnnouncement().err()); err != nil {
		return nil, err
	}
	header := http.Header{
		"Upload-Content-Type":   {req.MIMEType},
		"Upload-Content-Length": {strconv.FormatInt(req.Size, 10)},
	}
	if req.Origin != "" {
		header.Set("Upload-Origin", req.Origin)
	}
	var made Content
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost, header: header,
		path:   s.client.path("conversations", conversation.UUID().String(), "content"),
		dedupe: dedupe, into: &made,
	})
	if err != nil {
		return nil, err
	}
	return &made, nil
}

// Upload asks for a place, and sends the bytes there. The content returned can be
// sent in a message: see [Content.Part]. It streams: the memory it takes does not
// depend on the size. The dedupe UUID is as in Create: uploading again with the
// same one sends the bytes only if Layer does not have them yet.
//
// Fails as Create and Put do.
func (s *ContentService) Upload(ctx context.Context, conversation ConversationID, dedupe uuid.UUID, req UploadRequest) (*Content, error) {
	if err := refuse("content.upload", missingID("conversation", conversation), req.Validate()); err != nil {
		return nil, err
	}
	made, err := s.Create(ctx, conversation, dedupe, req)
	if err != nil {
		return nil, err
	}
	if made.DownloadURL != "" { // an earlier call with this UUID has done it
		return made, nil
	}
	if made.UploadURL == "" {
		return s.uploaded(ctx, conversation, made.ID)
	}
	if err := s.Put(ctx, made, req); err != nil {
		return nil, err
	}
	return made, nil
}

// uploaded gives content that Layer tells no place for: it is there already, or
// the answer was no use.
func (s *ContentService) uploaded(ctx context.Context, conversation ConversationID, id ContentID) (*Content, error) {
	found, err := s.Refresh(ctx, conversation, id)
	if !isStatus(err, http.StatusNotFound) {
		return found, err
	}
	return nil, &TransportError{
		Kind: KindBody, Method: http.MethodPost, Status: http.StatusCreated, Detail: "it has no upload_url",
		Path: s.client.basePath + s.client.path("conversations", conversation.UUID().String(), "content"),
	}
}

// uploadPart uploads the body of a part that is too large to be sent in place.
func (s *ContentService) uploadPart(ctx context.Context, conversation ConversationID, dedupe uuid.UUID, part Part) (Part, error) {
	body, err := part.Bytes()
	if err != nil || part.Content != nil || len(body) <= MaxInlineBody {
		return part, err
	}
	made, err := s.Upload(ctx, conversation, dedupe, UploadRequest{
		MIMEType: part.MIMEType, Size: int64(len(body)), Body: strings.NewReader(string(body)),
	})
	if err != nil {
		return Part{}, err
	}
	return made.Part(part.MIMEType), nil
}

// stepUUID derives the UUID of one part's upload from that of its message.
func stepUUID(dedupe uuid.UUID, part int) uuid.UUID {
	if dedupe == uuid.Nil {
		return uuid.Nil
	}
	return uuid.NewSHA1(dedupe, fmt.Appendf(nil, "content[%d]", part))
}

// Refresh returns content with a fresh DownloadURL. Fails with [CodeNotFound] if
// there is no such content, or nothing was uploaded yet.
//
// Layer docs: Platform API, rich content, refreshing a download URL.
//
//layer:operation GET /apps/:app/conversations/:conversation/content/:content
func (s *ContentService) Refresh(ctx context.Context, conversation ConversationID, id ContentID) (*Content, error) {
	const operation = "content.refresh"
	if err := refuse(operation, missingID("conversation", conversation), missingID("content", id)); err != nil {
		return nil, err
	}
	var found Content
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodGet, into: &found,
		path: s.client.path("conversations", conversation.UUID().String(), "content", id.UUID().String()),
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}
