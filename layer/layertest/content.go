package layertest

import (
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

var contentRoutes = []route{
	{method: http.MethodPost, path: "/apps/:app/conversations/:conversation/content", handle: (*call).createContent, tagged: true},
	{method: http.MethodGet, path: "/apps/:app/conversations/:conversation/content/:content", handle: (*call).refreshContent},
}

// maxContent is the largest rich content: 2 GB.
const maxContent = 2 << 30

// content is the body of a part above 2 KB, uploaded apart from the message.
type content struct {
	id       uuid.UUID
	conv     *conversation
	mime     string
	size     int64
	dedupe   uuid.UUID
	uploaded bool
}

type wireContent struct {
	ID          string  `json:"id"`
	Size        int64   `json:"size"`
	UploadURL   string  `json:"upload_url,omitempty"`
	DownloadURL *string `json:"download_url"`
	RefreshURL  *string `json:"refresh_url"`
	Expiration  *string `json:"expiration"`
}

func contentID(id uuid.UUID) string { return "layer:///content/" + id.String() }

// createContent answers POST /apps/A/conversations/C/content with the address
// to upload to. A body is not needed, and not looked at.
//
// Layer docs: platform, rich content, upload.
func (c *call) createContent() (answer, *failure) {
	mime := c.r.Header.Get("Upload-Content-Type")
	if mime == "" || !utf8.ValidString(mime) {
		return answer{}, badHeader("Upload-Content-Type", "Missing or invalid Upload-Content-Type header", docsPlatform)
	}
	size, err := strconv.ParseInt(c.r.Header.Get("Upload-Content-Length"), 10, 64)
	if err != nil || size < 1 || size > maxContent {
		return answer{}, badHeader("Upload-Content-Length", "Missing or invalid Upload-Content-Length header; must be from 1 to 2147483648", docsPlatform)
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if first := tx.uploads[c.dedupe]; first != nil && c.dedupe != uuid.Nil {
			c.duplicate = true
			return c.uploadAnswer(first), nil
		}
		conv, f := c.writable(tx.app)
		if f != nil {
			return answer{}, f
		}
		// The service chose the ids of content itself, dedupe UUID or not.
		ct := &content{id: c.e.newID(), conv: conv, mime: mime, size: size, dedupe: c.dedupe}
		tx.addContent(ct)
		tx.touch(ct)
		return c.uploadAnswer(ct), nil
	})
}

func (a *app) addContent(ct *content) {
	a.contents[ct.id] = ct
	if ct.dedupe != uuid.Nil {
		a.uploads[ct.dedupe] = ct
	}
}

func (c *call) uploadAnswer(ct *content) answer {
	a := jsonAnswer(http.StatusCreated, wireContent{ID: contentID(ct.id), Size: ct.size, UploadURL: c.uploadURL(ct)})
	a.location = "/apps/" + c.app.id.String() + "/conversations/" + ct.conv.id.String() + "/content/" + ct.id.String()
	return a
}

// refreshContent answers GET /apps/A/conversations/C/content/CID with a fresh
// address to download from.
//
// Layer docs: platform, rich content, refresh.
func (c *call) refreshContent() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		conv, f := a.conversation(c.id("conversation"))
		if f != nil {
			return answer{}, f
		}
		ct := a.contents[c.id("content")]
		if ct == nil || ct.conv != conv || !c.ready(ct) {
			return answer{}, absent("Content")
		}
		return jsonAnswer(http.StatusOK, c.wireContent(ct.conv, ct.id, ct.size)), nil
	})
}

// ready says whether content may be sent and refreshed.
func (c *call) ready(ct *content) bool { return ct.uploaded || c.e.config.Switches.UnfinishedContent }

// wireContent renders content as parts of messages have it: each time with a
// fresh address.
func (c *call) wireContent(conv *conversation, id uuid.UUID, size int64) wireContent {
	expires := time.Now().Add(c.e.config.DownloadTTL).Truncate(time.Second)
	return wireContent{
		ID: contentID(id), Size: size,
		DownloadURL: new(c.downloadURL(id, expires)),
		RefreshURL:  new(c.app.url + "/conversations/" + conv.id.String() + "/content/" + id.String()),
		Expiration:  new(timestamp(expires)),
	}
}

// parseContent reads the reference to content that a part has in place of a
// body.
func parseContent(v any, property string) (uuid.UUID, int64, *failure) {
	m, ok := v.(map[string]any)
	if !ok {
		return uuid.Nil, 0, invalid(property, "it must be an object")
	}
	o := object(m)
	for _, key := range []string{"id", "size"} {
		if !o.has(key) {
			return uuid.Nil, 0, missing(property + "." + key)
		}
	}
	text, f := o.text("id", property+".id")
	if f != nil {
		return uuid.Nil, 0, f
	}
	id, ok := parseReference("content", text)
	if !ok {
		return uuid.Nil, 0, invalid(property+".id", "it must be the id of a content")
	}
	size, ok := wholeNumber(o["size"])
	if !ok || size < 1 {
		return uuid.Nil, 0, invalid(property+".size", "it must be a whole number from 1")
	}
	return id, int64(size), nil
}

// checkContents says whether the rich content of a message is there: uploaded,
// of that size, for that conversation.
func (c *call) checkContents(a *app, conv *conversation, parts []part) *failure {
	for i, p := range parts {
		if p.content == uuid.Nil {
			continue
		}
		property := "parts[" + strconv.Itoa(i) + "].content"
		ct := a.contents[p.content]
		switch {
		case ct == nil || ct.conv != conv && !c.e.config.Switches.AnyContent:
			return invalid(property+".id", "there is no such content in the conversation")
		case !c.ready(ct):
			return invalid(property+".id", "the content was not uploaded yet")
		case ct.size != p.size:
			return invalid(property+".size", "it is not the size of the content")
		}
	}
	return nil
}
