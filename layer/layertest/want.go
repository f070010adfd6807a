package layertest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer"
)

// WantMessages fails the test unless the conversation holds exactly these
// messages, oldest first. A message is named by the bodies of its parts; those
// of several parts are joined with a space.
func (s *Server) WantMessages(t testing.TB, conversation layer.ConversationID, bodies ...string) {
	t.Helper()
	a := s.firstApp()
	a.mu.RLock()
	defer a.mu.RUnlock()
	conv := a.conversations[conversation.UUID()]
	if conv == nil || conv.deleted {
		t.Errorf("layertest: there is no conversation %s", conversation)
		return
	}
	got := make([]string, len(conv.messages))
	for i, msg := range conv.messages {
		_, parts := msg.unpack()
		got[i] = textOf(parts)
	}
	same(t, "messages", got, bodies)
}

// WantBlocks fails the test unless the owner blocks exactly these users.
func (s *Server) WantBlocks(t testing.TB, owner string, users ...string) {
	t.Helper()
	a := s.firstApp()
	a.mu.RLock()
	defer a.mu.RUnlock()
	var got []string
	if u := a.users[owner]; u != nil {
		got = slices.Sorted(maps.Keys(u.blocks.since))
	}
	same(t, "blocks of "+owner, got, slices.Sorted(slices.Values(users)))
}

// WantAnnouncements fails the test unless the user received exactly these
// announcements, oldest first, named like messages.
func (s *Server) WantAnnouncements(t testing.TB, user string, bodies ...string) {
	t.Helper()
	a := s.firstApp()
	a.mu.RLock()
	defer a.mu.RUnlock()
	var got []string
	if u := a.users[user]; u != nil {
		for _, d := range u.inbox {
			if !d.deleted {
				got = append(got, textOf(d.parts))
			}
		}
	}
	same(t, "announcements to "+user, got, bodies)
}

// WantParticipants fails the test unless the conversation has exactly these
// participants.
func (s *Server) WantParticipants(t testing.TB, conversation layer.ConversationID, users ...string) {
	t.Helper()
	a := s.firstApp()
	a.mu.RLock()
	defer a.mu.RUnlock()
	conv := a.conversations[conversation.UUID()]
	if conv == nil || conv.deleted {
		t.Errorf("layertest: there is no conversation %s", conversation)
		return
	}
	same(t, "participants", slices.Sorted(slices.Values(conv.roster.ids)), slices.Sorted(slices.Values(users)))
}

// WantIdentity fails the test unless the user has an identity with these
// members and no others. Metadata is given as metadata.KEY.
func (s *Server) WantIdentity(t testing.TB, user string, want map[string]string) {
	t.Helper()
	a := s.firstApp()
	a.mu.RLock()
	defer a.mu.RUnlock()
	u := a.users[user]
	if u == nil || u.identity == nil {
		t.Errorf("layertest: %s has no identity", user)
		return
	}
	var got []string
	for key, v := range u.identity {
		switch v := v.(type) {
		case string:
			got = append(got, key+"="+v)
		case map[string]any:
			for k, v := range v {
				if text, ok := v.(string); ok {
					got = append(got, key+"."+k+"="+text)
				}
			}
		}
	}
	var wanted []string
	for key, v := range want {
		wanted = append(wanted, key+"="+v)
	}
	slices.Sort(got)
	slices.Sort(wanted)
	same(t, "identity of "+user, got, wanted)
}

// WantRequests fails the test unless exactly n requests have arrived since the
// server started, whatever they were answered.
func (s *Server) WantRequests(t testing.TB, n int) {
	t.Helper()
	if got := s.Stats().Requests; got != n {
		t.Errorf("layertest: %d requests arrived, want %d", got, n)
	}
}

func textOf(parts []part) string {
	bodies := make([]string, len(parts))
	for i, p := range parts {
		bodies[i] = p.body
	}
	return strings.Join(bodies, " ")
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("layertest: %s are %q, want %q", what, got, want)
	}
}
