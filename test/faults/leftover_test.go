//go:build faults && linux

package faults

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// documented are the keys in the table of docs/architecture.md: there are to be
// no others.
func (s *site) documented() []*regexp.Regexp {
	s.t.Helper()
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		s.t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## State in Redis\n")
	if !found {
		s.t.Fatal("docs/architecture.md has no section on Redis")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var list []*regexp.Regexp
	for line := range strings.Lines(section) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for name := range strings.SplitSeq(cell, ", ") {
			if name, ok := strings.CutPrefix(name, "`"); ok && strings.HasPrefix(line, "| `") {
				list = append(list, keyPattern(strings.TrimSuffix(name, "`")))
			}
		}
	}
	return list
}

// keyPattern reads the table's way of writing keys.
func keyPattern(name string) *regexp.Regexp {
	p := regexp.QuoteMeta(name)
	for from, to := range map[string]string{
		`\{Q\}`: `\{(critical|default|bulk)\}`, `\{\.\.\.\}`: `\{.*\}`, `\.\.\.`: `.*`,
		`UUID`: `[^:]+`, `DAY`: `\d{4}-\d\d-\d\d`, `NAME`: `.+`,
	} {
		p = strings.ReplaceAll(p, from, to)
	}
	return regexp.MustCompile("^" + p + "$")
}

// busy are keys that hold something only while tasks are on their way.
var busy = regexp.MustCompile(`^asynq:\{\w+\}:(pending|active|lease|scheduled|retry|paused)$|^layerq:\{\w+\}:(lane:.*|later:.*|heads|held)$`)

// leftovers fails the row for what should not be in Redis when all is done and the
// workers have stopped.
func (s *site) leftovers() {
	s.t.Helper()
	if s.engine == bare {
		return
	}
	known := s.documented()
	var hashes []string
	ctx := s.t.Context()
	iter := s.redis.Client.Scan(ctx, 0, "", 1000).Iterator()
	for iter.Next(ctx) {
		key := iter.Val()
		switch {
		case busy.MatchString(key):
			s.t.Errorf("left in Redis: %s", key)
		case strings.Contains(key, "}:t:"):
			hashes = append(hashes, key)
		case !matches(known, key):
			s.t.Errorf("left in Redis, and not in docs/architecture.md: %s", key)
		}
	}
	if err := iter.Err(); err != nil {
		s.t.Error(err)
	}
	slices.Sort(hashes) // a scan may show a key twice
	for some := range slices.Chunk(slices.Compact(hashes), 1000) {
		s.checkHashes(some)
	}
}

func matches(list []*regexp.Regexp, key string) bool {
	for _, p := range list {
		if p.MatchString(key) {
			return true
		}
	}
	return false
}

// checkHashes requires of each task's hash that it is in the list that its state says: else
// nobody would ever delete it.
func (s *site) checkHashes(keys []string) {
	s.t.Helper()
	ctx := s.t.Context()
	states := make([]*redis.StringCmd, len(keys))
	if _, err := s.redis.Client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			states[i] = p.HGet(ctx, key, "state")
		}
		return nil
	}); err != nil && !errors.Is(err, redis.Nil) {
		s.t.Fatal(err)
	}
	scores := make([]*redis.FloatCmd, len(keys))
	if _, err := s.redis.Client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			prefix, id, _ := strings.Cut(key, "}:t:")
			scores[i] = p.ZScore(ctx, prefix+"}:"+states[i].Val(), id)
		}
		return nil
	}); err != nil && !errors.Is(err, redis.Nil) {
		s.t.Fatal(err)
	}
	for i, key := range keys {
		switch state, err := states[i].Result(); {
		case err != nil:
			s.t.Errorf("left in Redis: %s: %v", key, err)
		case state != "completed" && state != "archived":
			s.t.Errorf("left in Redis: %s in state %s", key, state)
		case scores[i].Err() != nil:
			s.t.Errorf("left in Redis: %s is %s and in no list of these: %v", key, state, scores[i].Err())
		}
	}
}
