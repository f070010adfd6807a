package tasks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/layerq/layerq/layer"
)

// askFirst is from how many bytes on it is asked whether content was uploaded by an
// earlier attempt where it is not known whether there was one: below, uploading
// again is as cheap as the question.
const askFirst = 256 << 10

// uploader brings the sources of one message to Layer.
type uploader struct {
	api          *layer.Client
	conversation layer.ConversationID
	id           dedupe
	performance
}

// mayBeThere tells whether content of a size may have been uploaded before.
func (u *uploader) mayBeThere(size int64) bool {
	if u.delivery == 0 {
		return size >= askFirst
	}
	return u.delivery > 1
}

// parts makes the parts to be sent, within the time for the sources of one task.
func (u *uploader) parts(ctx context.Context, parts []Part) ([]layer.Part, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, u.sources.Timeout, errFetchTimeout)
	defer cancel()
	made := make([]layer.Part, len(parts))
	for i, p := range parts {
		var err error
		if made[i], err = u.part(ctx, i, p); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// part makes the part to be sent of the i-th part: as it is, with the content
// in its body where it is small, or with the content uploaded.
func (u *uploader) part(ctx context.Context, i int, p Part) (layer.Part, error) {
	if p.Source == "" {
		return p.inline(), nil
	}
	part, err := u.fetch(ctx, i, p, "")
	if isUploadURLOver(err) {
		// The place that this step had been given is gone: another step gets a new one.
		part, err = u.fetch(ctx, i, p, " again")
	}
	if err != nil && errors.Is(context.Cause(ctx), errFetchTimeout) {
		err = u.tooSlow(p, err)
	}
	return part, named(i, err)
}

// tooSlow names the source where Layer's client saw its caller give up.
func (u *uploader) tooSlow(p Part, err error) error {
	if _, ok := errors.AsType[*SourceError](err); ok {
		return err
	}
	source, wrong := parseSource(p.Source)
	if wrong != nil {
		return err
	}
	return temporary(source, err, "it was not fetched and uploaded within %v", u.sources.Timeout)
}

func (u *uploader) fetch(ctx context.Context, i int, p Part, try string) (layer.Part, error) {
	content, err := u.sources.open(ctx, p.Source)
	if err != nil {
		return layer.Part{}, err
	}
	defer content.Close()
	if content.size <= layer.MaxInlineBody {
		return readInline(p, content)
	}
	// With the size in its name, a source that has changed since an earlier attempt
	// is uploaded anew, and not into the place made for another size.
	step := fmt.Sprintf("content[%d] %d%s", i, content.size, try)
	return u.upload(ctx, step, p, content)
}

func readInline(p Part, content *opened) (layer.Part, error) {
	body := make([]byte, content.size)
	if _, err := io.ReadFull(content, body); err != nil {
		return layer.Part{}, err
	}
	return p.withBody(body).inline(), nil
}

// upload uploads the content unless an earlier attempt has.
func (u *uploader) upload(ctx context.Context, step string, p Part, content *opened) (layer.Part, error) {
	req := layer.UploadRequest{MIMEType: p.MIMEType, Size: content.size, Body: content.ReadCloser}
	made, err := u.api.Content.Create(ctx, u.conversation, u.id.step(step), req)
	if err != nil {
		return layer.Part{}, err
	}
	if u.mayBeThere(content.size) {
		there, err := u.isUploaded(ctx, made.ID)
		if err != nil || there {
			return made.Part(p.MIMEType), err
		}
	}
	return made.Part(p.MIMEType), changed(p, u.api.Content.Put(ctx, made, req))
}

// changed names the source where it had another size than when it was opened:
// the next attempt finds what it has become.
func changed(p Part, err error) error {
	field, ok := errors.AsType[*layer.FieldError](err)
	if !ok || field.Field != "size" {
		return err
	}
	source, wrong := parseSource(p.Source)
	if wrong != nil {
		return err
	}
	return temporary(source, err, "changes while it is read")
}

func (u *uploader) isUploaded(ctx context.Context, id layer.ContentID) (bool, error) {
	_, err := u.api.Content.Refresh(ctx, u.conversation, id)
	if layer.CodeOf(err) == layer.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

func isUploadURLOver(err error) bool {
	e, ok := errors.AsType[*layer.Error](err)
	return ok && e.Method == http.MethodPut && (e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

// named puts the field into the error of a source.
func named(i int, err error) error {
	if failed, ok := errors.AsType[*SourceError](err); ok {
		located := *failed
		located.Field = partField(i, "source")
		return &located
	}
	return err
}
