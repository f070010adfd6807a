package tasks

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/layerq/layerq/internal/golden"
)

func TestSchemaFiles(t *testing.T) {
	t.Parallel()
	for _, info := range Types() {
		// These two have every kind of arg.
		if info.Type == TypeSendMessage || info.Type == TypeCreateConversation {
			golden.Equal(t, "schema/"+strings.ReplaceAll(info.Type, ":", "_")+".golden.json", indented(t, info.Schema))
		}
	}
}

// What one person finds out by trying, another should read in the schema.
func TestSchemasAreStrictAndDescribed(t *testing.T) {
	t.Parallel()
	for _, info := range Types() {
		var s struct {
			Schema               string `json:"$schema"`
			Type                 string
			AdditionalProperties *bool `json:"additionalProperties"`
			Properties           map[string]struct{ Description string }
			Required             []string
		}
		if err := json.Unmarshal(info.Schema, &s); err != nil {
			t.Fatal(err)
		}
		if s.Schema != "https://json-schema.org/draft/2020-12/schema" || s.Type != "object" || len(s.Required) == 0 {
			t.Errorf("%s: %s", info.Type, info.Schema)
		}
		if s.AdditionalProperties == nil || *s.AdditionalProperties {
			t.Errorf("%s takes unknown args", info.Type)
		}
		for name, p := range s.Properties {
			if p.Description == "" {
				t.Errorf("%s: %s has no description", info.Type, name)
			}
		}
	}
}

func TestTypesCannotBeChanged(t *testing.T) {
	t.Parallel()
	Types()[0].Type = "changed"
	if got := Types()[0].Type; got != TypeSendMessage {
		t.Errorf("the first type is %q", got)
	}
}
