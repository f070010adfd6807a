package tasks

import (
	"testing"

	"github.com/google/uuid"
)

// The vectors come from Python's uuid.uuid5: producers in other languages must
// get the same.
func TestKeyIDVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ taskType, key, want string }{
		{"message:send", "order-1234-shipped", "5d70f275-b216-535c-a20c-427fffaad655"},
		{"message:send", "a", "9ae60b32-9aa7-54d8-a5b3-6fcc32ffcf85"},
		{"user:block", "a", "9a1d72b7-1d6f-5522-b496-3ca70df0b06d"},
		{"message:send", "schöne Grüße 🌊", "608c9ca4-dcaa-5df5-a69c-7f3ce455919a"},
		{"message:send", "a\nb", "ebdce6fe-1989-5c18-bd49-d83cd85ddaaa"},
	} {
		if got := KeyID(c.taskType, c.key).String(); got != c.want {
			t.Errorf("KeyID(%q, %q) = %s, want %s", c.taskType, c.key, got, c.want)
		}
	}
}

func TestKeyNamespaceIsDerived(t *testing.T) {
	t.Parallel()
	want := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/layerq/layerq")).String()
	if KeyNamespace != want {
		t.Errorf("KeyNamespace = %s, want %s", KeyNamespace, want)
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	d := dedupe(uuid.MustParse("0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610"))
	if got, want := d.step("upload").String(), "29fc2dd0-bf2e-5fb6-bfba-56fdf9a7d42b"; got != want {
		t.Errorf("step = %s, want %s", got, want)
	}
	if d.step("a") == d.step("b") || d.step("a") == d.uuid() {
		t.Error("steps are not told apart")
	}
}
