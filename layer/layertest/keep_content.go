package layertest

import "github.com/google/uuid"

type savedContent struct {
	Conversation uuid.UUID `json:"conversation"`
	MIME         string    `json:"mime"`
	Size         int64     `json:"size"`
	Dedupe       uuid.UUID `json:"dedupe,omitzero"`
	Uploaded     bool      `json:"uploaded,omitzero"`
}

func (ct *content) save() saved {
	v := savedContent{ct.conv.id, ct.mime, ct.size, ct.dedupe, ct.uploaded}
	return saved{Kind: kindContent, ID: ct.id.String(), Value: marshal(v)}
}

func (a *app) loadContent(id uuid.UUID, v savedContent) error {
	conv := a.conversations[v.Conversation]
	if conv == nil {
		return errNoConversation
	}
	a.addContent(&content{id: id, conv: conv, mime: v.MIME, size: v.Size, dedupe: v.Dedupe, uploaded: v.Uploaded})
	return nil
}
