package docs_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	hashCall   = regexp.MustCompile(`(?:redis\.p?call\("(H[A-Z]+)", |\bread\()((?:[^()\n]|\([^()\n]*\))*)\)`)
	luaKey     = regexp.MustCompile(`\b(own|asynq) \.\. "([a-z_]+:?)"`)
	goKey      = regexp.MustCompile(`\b(ownPrefix|Prefix)\(queue\) \+ "([a-z_]+:?)"`)
	goWholeKey = regexp.MustCompile(`"(layerq:[a-z]+|asynq:[a-z]+)"`)
	goField    = regexp.MustCompile(`(?m)^\tField\w+ += "([a-z_]+)"$`)
)

// Whoever finds a key in Redis, or a field of a hash, finds it in the table.
func TestKeysInRedisAreInTheTable(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(read(t, "docs/architecture.md"), "\n## State in Redis\n")
	table, _, found := strings.Cut(table, "\n## ")
	if !found {
		t.Fatal("docs/architecture.md has no section on the state in Redis")
	}
	keys, fields := redisNames(t)
	// Scripts delete it first where memory may be full; nobody ever writes it.
	delete(keys, "layerq:{Q}:room")
	for _, must := range []string{"asynq:{Q}:pending", "layerq:{Q}:heads", "layerq:{Q}:lane:", "layerq:wake"} {
		if !keys[must] {
			t.Errorf("key %s is not found in internal/queue", must)
		}
	}
	for _, must := range []string{"msg", "state", "crashes", "seat", "code"} {
		if !fields[must] {
			t.Errorf("field %s is not found in internal/queue", must)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		shown := "`" + key + "`"
		if strings.HasSuffix(key, ":") {
			shown = "`" + key
		}
		if !strings.Contains(table, shown) {
			t.Errorf("docs/architecture.md does not say what key %s is", key)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if !strings.Contains(table, "`"+field+"`") {
			t.Errorf("docs/architecture.md does not say what field %s is", field)
		}
	}
}

// redisNames returns the keys and the fields of hashes that internal/queue names, the queue's name as {Q}.
func redisNames(t *testing.T) (keys, fields map[string]bool) {
	t.Helper()
	keys, fields = map[string]bool{}, map[string]bool{}
	add := func(prefix, name string) {
		if prefix == "own" || prefix == "ownPrefix" {
			keys["layerq:{Q}:"+name] = true
		} else {
			keys["asynq:{Q}:"+name] = true
		}
	}
	for _, pattern := range []string{"*.lua", "*.go"} {
		files, err := filepath.Glob(filepath.Join(root, "internal/queue", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%d files %s, %v", len(files), pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source := read(t, "internal/queue/"+filepath.Base(file))
			for _, key := range append(luaKey.FindAllStringSubmatch(source, -1), goKey.FindAllStringSubmatch(source, -1)...) {
				add(key[1], key[2])
			}
			for _, call := range hashCall.FindAllStringSubmatch(source, -1) {
				for _, field := range hashFields(call[1], strings.Split(call[2], ", ")) {
					fields[field] = true
				}
			}
			if pattern == "*.lua" {
				continue
			}
			for _, key := range goWholeKey.FindAllStringSubmatch(source, -1) {
				keys[key[1]] = true
			}
			for _, field := range goField.FindAllStringSubmatch(source, -1) {
				fields[field[1]] = true
			}
		}
	}
	return keys, fields
}

// hashFields returns the fields that a command on a hash names, or lane.lua's read; args begin with the key or the id.
func hashFields(command string, args []string) (fields []string) {
	args = args[1:]
	for i, arg := range args {
		value := command == "HSET" && i%2 == 1 || command == "HINCRBY" && i > 0 || command == "HSETNX" && i > 0 || command == "HSCAN"
		if name := strings.Trim(arg, `"`); !value && len(name) == len(arg)-2 && name != "" {
			fields = append(fields, name)
		}
	}
	return fields
}
