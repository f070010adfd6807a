package layer

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"strconv"

	"github.com/google/uuid"
)

// MaxPageSize is the largest page of a list, and the size of one by default.
const MaxPageSize = 100

// Page is one page of a list.
type Page[T any] struct {
	// Items are in the list's order, newest first.
	Items []*T
	// Total is how many items there are to page through (Layer-Count), -1 if
	// Layer did not say.
	Total int
	// Syncing tells that a new participant's history is still being copied:
	// items may be missing yet, and Total is unreliable.
	Syncing bool
}

// listOf is a JSON list of resources on its way in.
type listOf[T any, R interface {
	*T
	resource
}] struct{ items []*T }

// UnmarshalJSON reads the list itself.
func (l *listOf[T, R]) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &l.items) }

func (l *listOf[T, R]) accept() error {
	for _, item := range l.items {
		if item == nil {
			return errors.New("it has a null in its list")
		}
		if err := R(item).accept(); err != nil {
			return err
		}
	}
	return nil
}

func pageOf[T any](items []*T, answer *reply) *Page[T] {
	page := &Page[T]{Items: items, Total: -1}
	if total, err := strconv.Atoi(answer.header.Get("Layer-Count")); err == nil && total >= 0 {
		page.Total = total
	}
	page.Syncing = answer.header.Get("Layer-Conversation-Is-Syncing") == "true"
	return page
}

// listQuery writes the parameters that all lists have. Size 0 and from uuid.Nil
// leave the choice to Layer.
func listQuery(size int, from uuid.UUID) (url.Values, error) {
	query := url.Values{}
	if size < 0 || size > MaxPageSize {
		var p problems
		p.add("page_size", "is %d, want 1 to %d, or 0 for Layer's default", size, MaxPageSize)
		return nil, p.err()
	}
	if size > 0 {
		query.Set("page_size", strconv.Itoa(size))
	}
	if from != uuid.Nil {
		query.Set("from_id", from.String())
	}
	return query, nil
}

// pages walks through a list by asking for what follows the last item. An
// error ends the walk.
func pages[T any](ctx context.Context, size int, from uuid.UUID, id func(*T) uuid.UUID,
	list func(ctx context.Context, from uuid.UUID) (*Page[T], error),
) iter.Seq2[*Page[T], error] {
	if size == 0 {
		size = MaxPageSize
	}
	return func(yield func(*Page[T], error) bool) {
		fromStart, seen, after := from == uuid.Nil, 0, from
		for {
			page, err := list(ctx, after)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page, nil) || len(page.Items) == 0 {
				return
			}
			seen += len(page.Items)
			last := id(page.Items[len(page.Items)-1])
			if last == after || !page.more(fromStart, seen, size) {
				return
			}
			after = last
		}
	}
}

// more tells whether another page may follow. The total decides where it can
// be trusted: a server may make pages smaller than they were asked for.
func (p *Page[T]) more(fromStart bool, seen, size int) bool {
	if fromStart && p.Total >= 0 && !p.Syncing {
		return seen < p.Total
	}
	return len(p.Items) >= size
}

// items flattens pages.
func items[T any](pages iter.Seq2[*Page[T], error]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for page, err := range pages {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}
