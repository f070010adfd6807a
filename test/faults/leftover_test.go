//go:build faults && linux

package faults

import (
	"os"
	"regexp"
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
var busy = regexp.MustCompile(`^asynq:\{\w+\}:(pending|active|lease|scheduled|retry|paused)$|^layerq:\{\w+\}:(lane:.*|heads|held)$`)

// leftovers fails the row for what should not be in Redis when all is done and the
// workers have stopped.
func (s *site) leftovers() {
	s.t.Helper()
	if s.engine == bare {
		return
	}
	known := s.documented()
	tasksOf := make(map[string]bool)
	ctx := s.t.Context()
	for iter := s.redis.Client.Scan(ctx, 0, "", 1000).Iterator(); iter.Next(ctx); {
		key := iter.Val()
		switch {
		case busy.MatchString(key):
			s.t.Errorf("left in Redis: %s", key)
		case strings.Contains(key, "}:t:"):
			tasksOf[key] = true
		case !matches(known, key):
			s.t.Errorf("left in Redis, and not in docs/architecture.md: %s", key)
		}
	}
	s.checkHashes(tasksOf)
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
func (s *site) checkHashes(keys map[string]bool) {
	s.t.Helper()
	ctx := s.t.Context()
	for key := range keys {
		state, err := s.redis.Client.HGet(ctx, key, "state").Result()
		if err != nil {
			s.t.Errorf("left in Redis: %s: %v", key, err)
			continue
		}
		prefix, id, _ := strings.Cut(key, "}:t:")
		if state != "completed" && state != "archived" {
			s.t.Errorf("left in Redis: %s in state %s", key, state)
			continue
		}
		if err := s.redis.Client.ZScore(ctx, prefix+"}:"+state, id).Err(); err == redis.Nil { //nolint:errorlint // go-redis returns this sentinel bare
			s.t.Errorf("left in Redis: %s is %s and in no list of these", key, state)
		} else if err != nil {
			s.t.Error(err)
		}
	}
}
