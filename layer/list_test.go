package layer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

// shelf answers lists of messages as Layer does: pages after from_id, and the
// total. largest is the largest page it makes, whatever was asked for.
func shelf(ids []uuid.UUID, largest int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		size := largest
		if asked, err := strconv.Atoi(r.FormValue("page_size")); err == nil {
			size = min(size, asked)
		}
		start := 0
		if from := r.FormValue("from_id"); from != "" {
			for start < len(ids) && ids[start].String() != from {
				start++
			}
			start++
		}
		page := []any{}
		for _, id := range ids[min(start, len(ids)):min(start+size, len(ids))] {
			page = append(page, map[string]string{"id": "layer:///messages/" + id.String()})
		}
		body, err := json.Marshal(page)
		if err != nil {
			panic(err)
		}
		answer(200, string(body), headers...)(w, r)
	}
}

func someIDs(n int) []uuid.UUID {
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i))
	}
	return ids
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		items, largest int
		headers        []string
		opts           layer.ListOptions
		from           int // index of the item before the first wanted
		requests       int
	}{
		"none":                                   {0, 100, []string{"Layer-Count", "0"}, layer.ListOptions{}, -1, 1},
		"one page":                               {7, 100, []string{"Layer-Count", "7"}, layer.ListOptions{}, -1, 1},
		"full pages, told the total":             {200, 100, []string{"Layer-Count", "200"}, layer.ListOptions{}, -1, 2},
		"small pages":                            {7, 100, []string{"Layer-Count", "7"}, layer.ListOptions{PageSize: 3}, -1, 3},
		"pages smaller than asked for":           {7, 2, []string{"Layer-Count", "7"}, layer.ListOptions{PageSize: 3}, -1, 4},
		"no total":                               {6, 100, nil, layer.ListOptions{PageSize: 3}, -1, 3},
		"a total that is too low while it syncs": {6, 100, []string{"Layer-Count", "2", "Layer-Conversation-Is-Syncing", "true"}, layer.ListOptions{PageSize: 3}, -1, 3},
		"a total that is too high":               {6, 100, []string{"Layer-Count", "9"}, layer.ListOptions{PageSize: 3}, -1, 3},
		"a total of nonsense":                    {2, 100, []string{"Layer-Count", "many"}, layer.ListOptions{PageSize: 3}, -1, 1},
		"from an item on":                        {7, 100, []string{"Layer-Count", "7"}, layer.ListOptions{PageSize: 3, FromID: layer.MessageID(someIDs(7)[2])}, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ids := someIDs(c.items)
			f := newFake(t, shelf(ids, c.largest, c.headers...))
			want := ids[c.from+1:]
			for m, err := range f.client(t).Messages.All(t.Context(), conv, c.opts) {
				if err != nil {
					t.Fatal(err)
				}
				if len(want) == 0 || m.ID.UUID() != want[0] {
					t.Fatalf("got %v, want the first of %d", m.ID, len(want))
				}
				want = want[1:]
			}
			if len(want) != 0 {
				t.Errorf("%d items are missing", len(want))
			}
			if n := len(f.seen()); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
		})
	}
}

func TestPagesStopWhenTheCallerDoes(t *testing.T) {
	t.Parallel()
	f := newFake(t, shelf(someIDs(50), 100, "Layer-Count", "50"))
	for _, err := range f.client(t).Messages.All(t.Context(), conv, layer.ListOptions{PageSize: 10}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if n := len(f.seen()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestPagesEndWithAnError(t *testing.T) {
	t.Parallel()
	f := newFake(t, shelf(someIDs(50), 100, "Layer-Count", "50"), answer(404, `{"id":"not_found","code":102}`))
	items, failures := 0, 0
	for m, err := range f.client(t).Messages.All(t.Context(), conv, layer.ListOptions{PageSize: 10}) {
		if err != nil {
			failures++
			if !errors.Is(err, layer.CodeNotFound) || m != nil {
				t.Errorf("%v with %v", m, err)
			}
			continue
		}
		items++
	}
	if items != 10 || failures != 1 {
		t.Errorf("%d items, %d errors", items, failures)
	}
}

func TestPagesOfAServerThatIgnoresFromID(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(200, `[{"id":"layer:///messages/`+otherUUID+`"}]`, "Layer-Count", "5"))
	items := 0
	for _, err := range f.client(t).Messages.All(t.Context(), conv, layer.ListOptions{PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if items++; items > 10 {
			t.Fatal("it goes round in circles")
		}
	}
}

func TestListTotal(t *testing.T) {
	t.Parallel()
	f := newFake(t, shelf(someIDs(7), 100, "Layer-Count", "7"), answer(200, `[]`), answer(200, `null`))
	c := f.client(t)
	for _, want := range []struct{ items, total int }{{3, 7}, {0, -1}, {0, -1}} {
		page, err := c.Messages.List(t.Context(), conv, layer.ListOptions{PageSize: 3})
		if err != nil || len(page.Items) != want.items || page.Total != want.total {
			t.Errorf("%+v, %v; want %+v", page, err, want)
		}
	}
	if got := f.seen()[0].URL.RawQuery; got != "page_size=3" {
		t.Errorf("asked %s", got)
	}
}

func TestListsOfOtherThings(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`[null]`, `[{}]`, `[{"id":"layer:///conversations/` + convUUID + `"}]`, `{"id":"layer:///messages/` + otherUUID + `"}`, `[7]`} {
		f := newFake(t, answer(200, body))
		page, err := f.client(t, layer.WithAttemptRetries(0)).Messages.List(t.Context(), conv, layer.ListOptions{})
		if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindBody || page != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestListsOfUsersAreAskedFor(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(200, `[]`))
	c := f.client(t)
	for item, err := range c.Conversations.AllAsUser(t.Context(), "a/b", layer.ConversationListOptions{PageSize: 7, FromID: conv, SortBy: layer.SortByLastMessage}) {
		t.Error(item, err)
	}
	for item, err := range c.Messages.AllAsUser(t.Context(), "a/b", conv, layer.ListOptions{FromID: message}) {
		t.Error(item, err)
	}
	for item, err := range c.Announcements.AllAsUser(t.Context(), "a/b", layer.AnnouncementListOptions{PageSize: 1}) {
		t.Error(item, err)
	}
	user := "/apps/" + appUUID + "/users/a%2Fb"
	for i, want := range []string{
		user + "/conversations?from_id=" + convUUID + "&page_size=7&sort_by=last_message",
		user + "/conversations/" + convUUID + "/messages?from_id=" + otherUUID,
		user + "/announcements?page_size=1",
	} {
		if got := f.seen()[i].RequestURI; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
