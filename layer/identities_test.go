package layer_test

import (
	"strings"
	"testing"

	"github.com/layerq/layerq/layer"
)

func TestUpsertIdentity(t *testing.T) {
	t.Parallel()
	made, exists, replaced := answer(201, ""), answer(409, `{"id":"conflict","code":108}`), answer(204, "")
	gone := answer(404, `{"id":"not_found","code":102}`)
	identity := layer.Identity{DisplayName: "Ana"}
	for name, c := range map[string]struct {
		f       *fake
		methods string
		code    layer.Code
	}{
		"a new one":                          {newFake(t, made), "POST", ""},
		"one that is there":                  {newFake(t, exists, replaced), "POST PUT", ""},
		"an id_in_use means the same":        {newFake(t, answer(409, `{"id":"id_in_use","code":111}`), replaced), "POST PUT", ""},
		"an empty 409 too":                   {newFake(t, answer(409, ""), replaced), "POST PUT", ""},
		"one that is deleted in between":     {newFake(t, exists, gone, made), "POST PUT POST", ""},
		"one whose answer was lost":          {newFake(t, cut, exists, replaced), "POST POST PUT", ""},
		"another writer who never gives way": {newFake(t, exists, gone, exists, gone, exists, gone), "POST PUT POST PUT POST PUT", layer.CodeNotFound},
		"a failure to create":                {newFake(t, answer(403, `{"id":"app_suspended"}`)), "POST", layer.CodeAppSuspended},
		"a failure to replace":               {newFake(t, exists, answer(403, `{"id":"app_suspended"}`)), "POST PUT", layer.CodeAppSuspended},
	} {
		err := c.f.client(t).Identities.Upsert(t.Context(), "ana", identity)
		var methods []string
		for _, r := range c.f.seen() {
			methods = append(methods, r.Method)
		}
		if got := strings.Join(methods, " "); got != c.methods || layer.CodeOf(err) != c.code || (err == nil) != (c.code == "") {
			t.Errorf("%s: %s, %v; want %s, %q", name, got, err, c.methods, c.code)
		}
	}
}
