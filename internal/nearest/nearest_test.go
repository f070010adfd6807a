package nearest_test

import (
	"testing"

	"github.com/layerq/layerq/internal/nearest"
)

func TestTo(t *testing.T) {
	t.Parallel()
	names := []string{"queues", "retention", "retry-min", "retry-max", "wait", "at"}
	for _, tc := range []struct{ name, word, want string }{
		{"a letter is missing", "queus", "queues"},
		{"two letters changed places", "qeuues", "queues"},
		{"a letter too many", "rettention", "retention"},
		{"another separator", "retry_max", "retry-max"},
		{"of two equally near ones the first", "retry-mix", "retry-min"},
		{"nothing is near", "concurrency", ""},
		{"a short word allows one mistake", "wbix", ""},
		{"nothing is near the empty word", "", ""},
		{"the word itself", "at", "at"},
		{"bytes that are no text", "\xff\x00queues", "queues"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := nearest.To(tc.word, names); got != tc.want {
				t.Errorf("To(%q) = %q, want %q", tc.word, got, tc.want)
			}
		})
	}
}

func TestToWithoutCandidates(t *testing.T) {
	t.Parallel()
	if got := nearest.To("queues", nil); got != "" {
		t.Errorf("To = %q, want nothing", got)
	}
}
