package layertest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// How much a page shows at most.
const (
	shownConversations = 100
	shownMessages      = 200
)

type shownConversation struct {
	ID           uuid.UUID
	URL          string
	CreatedAt    string
	Participants []string
	Distinct     bool
	Metadata     string
	Messages     int
	Last         *shownMessage
}

type shownMessage struct {
	ID     string
	Sender string
	At     string
	Side   string // the class of its bubble
	Parts  []shownPart
	Status string
}

type shownPart struct {
	MIME  string
	Text  string
	Note  string
	Image template.URL
}

type count struct {
	Name  string
	Value int
}

// Line is the message in one line.
func (m *shownMessage) Line() string {
	if len(m.Parts) == 0 {
		return ""
	}
	const most = 160
	line := m.Parts[0].Text + m.Parts[0].Note
	if m.Parts[0].Image != "" {
		line = "(" + m.Parts[0].MIME + ")"
	}
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "…"
	}
	return line
}

func (e *Emulator) pageConversations(w http.ResponseWriter, r *http.Request) {
	a, f := e.frame(r, "Conversations", "Conversations")
	s := e.Stats()
	data := struct {
		frame
		Counts        []count
		Conversations []shownConversation
		excerpt
	}{frame: f, Counts: []count{
		{"requests", s.Requests},
		{"repeated", s.DedupeHits},
		{"rate limited", s.RateLimited},
		{"conversations", s.Conversations},
		{"messages", s.Messages},
		{"announcements", s.Announcements},
		{"identities", s.Identities},
		{"blocks", s.Blocks},
	}}
	a.mu.RLock()
	all := a.sortedConversations()
	slices.Reverse(all)
	slices.SortStableFunc(all, func(v, w *conversation) int { return cmp.Compare(w.activity(), v.activity()) })
	data.excerpt = excerptOf(r, len(all), shownConversations)
	for _, conv := range all[data.begin:data.end] {
		data.Conversations = append(data.Conversations, a.show(conv))
	}
	a.mu.RUnlock()
	show(w, http.StatusOK, "conversations.html", data)
}

func (e *Emulator) pageConversation(w http.ResponseWriter, r *http.Request) {
	a, f := e.frame(r, "Conversation", "Conversations")
	id, _ := parseReference("conversations", r.URL.Query().Get("id"))
	data := struct {
		frame
		Conversation shownConversation
		Messages     []shownMessage
		excerpt
	}{frame: f}
	a.mu.RLock()
	conv := a.conversations[id]
	if conv == nil || conv.deleted {
		a.mu.RUnlock()
		http.Error(w, "there is no such conversation", http.StatusNotFound)
		return
	}
	data.Conversation = a.show(conv)
	n := len(conv.messages)
	data.excerpt = excerptOf(r, n, shownMessages) // of the latest ones, which are to be read the other way round
	for _, msg := range conv.messages[n-data.end : n-data.begin] {
		data.Messages = append(data.Messages, showMessage(msg))
	}
	a.mu.RUnlock()
	show(w, http.StatusOK, "conversation.html", data)
}

// activity is when the last thing happened in a conversation that its users
// look at.
func (conv *conversation) activity() int64 {
	if n := len(conv.messages); n > 0 {
		return conv.messages[n-1].sentAt
	}
	return conv.createdAt.UnixNano()
}

// show copies a conversation for a page. The caller holds the lock.
func (a *app) show(conv *conversation) shownConversation {
	s := shownConversation{
		ID: conv.id, CreatedAt: showTime(conv.createdAt), Participants: conv.roster.ids, Distinct: conv.distinct, Messages: len(conv.messages),
		URL: pageRoot + "conversation?" + url.Values{"app": {a.id.String()}, "id": {conv.id.String()}}.Encode() + "#latest",
	}
	if len(conv.metadata) > 0 {
		s.Metadata = string(marshal(conv.metadata))
	}
	if n := len(conv.messages); n > 0 {
		s.Last = new(showMessage(conv.messages[n-1]))
	}
	return s
}

func showMessage(msg *message) shownMessage {
	from, parts := msg.unpack()
	s := shownMessage{ID: msg.id.String(), Sender: from.name, At: showTime(msg.time()), Side: "first"}
	switch {
	case !from.isUser:
		s.Side = "system"
	case slices.Index(msg.roster.ids, from.name)%2 == 1:
		s.Side = "second"
	}
	for _, p := range parts {
		s.Parts = append(s.Parts, showPart(p))
	}
	byStatus := map[receipt][]string{}
	for _, id := range msg.roster.ids {
		if id != from.name || !from.isUser {
			byStatus[msg.statusOf(id)] = append(byStatus[msg.statusOf(id)], id)
		}
	}
	var status []string
	for _, r := range []receipt{read, delivered, sent} {
		if ids := byStatus[r]; len(ids) > 0 {
			status = append(status, string(r)+": "+strings.Join(ids, ", "))
		}
	}
	s.Status = strings.Join(status, " · ")
	return s
}

// showPart shows small pictures as such. Other types than these could be more
// than a picture.
func showPart(p part) shownPart {
	s := shownPart{MIME: p.mime}
	picture := slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, p.mime)
	raw, err := base64.StdEncoding.DecodeString(p.body)
	switch {
	case p.content != uuid.Nil:
		s.Note = fmt.Sprintf("rich content of %d bytes", p.size)
	case p.base64 && picture && err == nil:
		s.Image = template.URL("data:" + p.mime + ";base64," + base64.StdEncoding.EncodeToString(raw)) //nolint:gosec // a fixed type, and nothing but base64
	case p.base64:
		s.Note = strconv.Itoa(len(raw)) + " bytes"
	default:
		s.Text = p.body
	}
	return s
}

func showTime(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05") }
