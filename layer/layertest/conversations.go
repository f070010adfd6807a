package layertest

import (
	"net/http"
	"reflect"
	"time"

	"github.com/google/uuid"
)

var conversationRoutes = []route{
	{method: http.MethodPost, path: "/apps/:app/conversations", handle: (*call).createConversation, tagged: true},
	{method: http.MethodGet, path: "/apps/:app/conversations/:conversation", handle: (*call).getConversation},
	{method: http.MethodPatch, path: "/apps/:app/conversations/:conversation", handle: (*call).patchConversation},
	{method: http.MethodDelete, path: "/apps/:app/conversations/:conversation", handle: (*call).deleteConversation},
}

type conversation struct {
	id        uuid.UUID
	order     uint64 // by creation, among all of the app
	createdAt time.Time
	roster    *roster // participants now
	members   map[string]*member
	metadata  map[string]any // nil if never given
	distinct  bool
	deleted   bool

	messages []*message // not deleted, oldest first
	seq      uint64     // of the last message, counted from 1
}

type wireConversation struct {
	ID           string   `json:"id"`
	URL          string   `json:"url"`
	MessagesURL  string   `json:"messages_url"`
	CreatedAt    string   `json:"created_at"`
	Participants []string `json:"participants"`
	Distinct     bool     `json:"distinct"`
	Metadata     any      `json:"metadata"`
}

// createConversation answers POST /apps/A/conversations.
//
// Layer docs: platform, conversations, create.
func (c *call) createConversation() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	if !body.has("participants") {
		return answer{}, missing("participants")
	}
	r, f := c.somebody(body["participants"])
	if f != nil {
		return answer{}, f
	}
	distinct, isBool := body["distinct"].(bool)
	switch {
	case !body.has("distinct"):
		distinct = c.e.config.Switches.DistinctDefault
	case !isBool:
		return answer{}, invalid("distinct", "it must be true or false")
	}
	metadata, f := c.parseMetadata(body["metadata"])
	if f != nil {
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if first, ok := c.known(tx.app, aConversation); ok {
			return c.repeated(aConversation, first, func() answer {
				return jsonAnswer(http.StatusCreated, c.system(tx.conversations[c.dedupe]))
			})
		}
		if match := tx.distinct[r.key()]; match != nil && distinct {
			return c.existing(match, metadata)
		}
		conv := tx.addConversation(c.newID(), r, distinct, metadata)
		return jsonAnswer(http.StatusCreated, c.system(conv)), nil
	})
}

// existing answers a create that found the distinct conversation of its
// participants.
func (c *call) existing(match *conversation, metadata map[string]any) (answer, *failure) {
	if metadata != nil && !reflect.DeepEqual(metadata, match.meta()) {
		k := conflict
		if c.e.config.Switches.ResourceConflict {
			k.id = "resource_conflict"
		}
		return answer{}, &failure{
			kind: k, url: docsDistinct, data: c.system(match),
			message: "The requested Distinct Conversation was found but had metadata that did not match your request.",
		}
	}
	a := jsonAnswer(http.StatusOK, c.system(match))
	if c.e.config.Switches.RedirectDistinct {
		a.status = http.StatusSeeOther
	}
	if !c.e.config.Switches.NoDistinctLocation {
		a.location = "/apps/" + c.app.id.String() + "/conversations/" + match.id.String()
	}
	return a, nil
}

// getConversation answers GET /apps/A/conversations/C.
//
// Layer docs: platform, conversations, retrieve.
func (c *call) getConversation() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		conv, f := a.conversation(c.id("conversation"))
		if f != nil {
			f.empty = c.e.config.Switches.EmptyNotFound
			return answer{}, f
		}
		return jsonAnswer(http.StatusOK, c.system(conv)), nil
	})
}

// conversation finds a conversation in the system perspective.
func (a *app) conversation(id uuid.UUID) (*conversation, *failure) {
	switch conv := a.conversations[id]; {
	case conv == nil:
		return nil, unknown("conversation")
	case conv.deleted:
		return nil, gone("conversation")
	default:
		return conv, nil
	}
}

// writable finds a conversation that is to be changed.
func (c *call) writable(a *app) (*conversation, *failure) {
	conv, f := a.conversation(c.id("conversation"))
	if f != nil && f.kind == objectDeleted && c.e.config.Switches.DeletedIsUnknown {
		f = unknown("conversation")
	}
	return conv, f
}

func (tx *tx) addConversation(id uuid.UUID, r *roster, distinct bool, metadata map[string]any) *conversation {
	tx.order++
	conv := &conversation{
		id: id, order: tx.order, createdAt: tx.now, roster: r,
		members: make(map[string]*member, len(r.ids)), metadata: metadata, distinct: distinct,
	}
	for _, id := range r.ids {
		tx.join(conv, id)
	}
	tx.conversations[id] = conv
	tx.live.conversations++
	if distinct {
		tx.distinct[r.key()] = conv
	}
	tx.touch(conv)
	tx.tellConversation(conversationCreated, conv)
	return conv
}

// meta is the metadata as it reads and compares.
func (conv *conversation) meta() map[string]any {
	if conv.metadata == nil {
		return map[string]any{}
	}
	return conv.metadata
}

func conversationID(id uuid.UUID) string { return "layer:///conversations/" + id.String() }

// system renders a conversation in the system perspective.
func (c *call) system(conv *conversation) wireConversation {
	return c.conversationAt(conv, c.app.url)
}

// conversationAt renders a conversation with the urls of a perspective.
func (c *call) conversationAt(conv *conversation, base string) wireConversation {
	url := base + "/conversations/" + conv.id.String()
	var metadata any = conv.meta()
	if conv.metadata == nil && c.e.config.Switches.NullMetadata {
		metadata = nil
	}
	return wireConversation{
		ID: conversationID(conv.id), URL: url, MessagesURL: url + "/messages", CreatedAt: timestamp(conv.createdAt),
		Participants: conv.roster.ids, Distinct: conv.distinct, Metadata: metadata,
	}
}
