package layer

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/internal/golden"
)

func TestPatchJSON(t *testing.T) {
	t.Parallel()
	patch := Patch{}.
		Add("participants", "chen", "dora").
		Remove("participants", "boris").
		Set("participants", []string{"ana", "chen"}).
		Set("metadata.pier.number", "8").
		Set("metadata", map[string]any{}).
		Set("metadata.empty", "").
		Set("suspended", false).
		Delete("metadata.pier")
	out, err := json.MarshalIndent(patch, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "patch.golden.json", append(out, '\n'))
	var back Patch
	if err := json.Unmarshal(out, &back); err != nil || len(back) != len(patch) {
		t.Errorf("read back: %v, %v", back, err)
	}
}

func TestPatchesFromOneStartAreApart(t *testing.T) {
	t.Parallel()
	start := make(Patch, 0, 8).Add("participants", "ana")
	one, two := start.Set("metadata.a", "1"), start.Set("metadata.b", "2")
	if one[1].Property != "metadata.a" || two[1].Property != "metadata.b" || len(start) != 1 {
		t.Errorf("%v %v %v", start, one, two)
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	for property, want := range map[string][]string{
		"participants":         {"participants"},
		"metadata.pier.number": {"metadata", "pier", "number"},
		`metadata.a\.b`:        {"metadata", "a.b"},
		`a\b`:                  {`a\b`},
		"metadata.ü":           {"metadata", "ü"},
	} {
		got, err := SplitProperty(property)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %q, %v", property, got, err)
		}
		if back := PropertyPath(got...); back != property {
			t.Errorf("%s becomes %s", property, back)
		}
	}
	for _, wrong := range []string{"", ".", "a.", ".a", "a..b"} {
		if got, err := SplitProperty(wrong); err == nil {
			t.Errorf("%q: %q", wrong, got)
		}
	}
}

func TestPatchApply(t *testing.T) {
	t.Parallel()
	const start = `{"participants":["ana","boris"],"distinct":true,"metadata":{"topic":"harbour","pier":{"number":"7"}}}`
	for name, c := range map[string]struct {
		patch Patch
		want  string // what becomes of the start, or the error
	}{
		"no operations":                         {nil, start},
		"set makes the way":                     {Patch{}.Set("metadata.a.b.c", "x").Set("participants", []string{}).Set("metadata.topic", "y"), `{"participants":[],"distinct":true,"metadata":{"topic":"y","pier":{"number":"7"},"a":{"b":{"c":"x"}}}}`},
		"set replaces a whole object":           {Patch{}.Set("metadata", Metadata{"x": map[string]string{"y": "z"}}), `{"participants":["ana","boris"],"distinct":true,"metadata":{"x":{"y":"z"}}}`},
		"set replaces text by an object":        {Patch{}.Set("metadata.topic", map[string]any{"a": "b"}).Set("metadata.topic.c", "d"), `{"participants":["ana","boris"],"distinct":true,"metadata":{"topic":{"a":"b","c":"d"},"pier":{"number":"7"}}}`},
		"a dot in a name":                       {Patch{}.Set(PropertyPath("metadata", "a.b"), "x").Delete("metadata.topic"), `{"participants":["ana","boris"],"distinct":true,"metadata":{"a.b":"x","pier":{"number":"7"}}}`},
		"add and remove":                        {Patch{}.Add("participants", "chen", "ana").Remove("participants", "boris", "nobody"), `{"participants":["ana","chen"],"distinct":true,"metadata":{"topic":"harbour","pier":{"number":"7"}}}`},
		"delete what is absent":                 {Patch{}.Delete("metadata.x.y.z").Delete("metadata.topic.x").Delete("nothing"), start},
		"operations go in order":                {Patch{}.Set("metadata.a", "1").Delete("metadata.a").Add("participants", "x").Remove("participants", "x"), start},
		"set through a text":                    {Patch{}.Set("metadata.x", "1").Set("metadata.topic.a", "x"), `[1].property: "metadata.topic.a" leads through "topic", which is no object`},
		"add to an object":                      {Patch{}.Add("metadata", "x"), `[0].property: "metadata" is no list`},
		"add to what is absent":                 {Patch{}.Add("metadata.tags", "x"), `[0].property: "metadata.tags" is no list`},
		"remove on the way through what is not": {Patch{}.Remove("metadata.x.y", "x"), `[0].property: "metadata.x.y" is no list`},
		"add through a text":                    {Patch{}.Add("metadata.topic.x", "x"), `[0].property: "metadata.topic.x" leads through "topic", which is no object`},
		"add of a list":                         {Patch{{Action: ActionAdd, Property: "participants", Value: []any{"x"}}}, `[0].value: is a list, want a single value`},
		"add of an object":                      {Patch{{Action: ActionAdd, Property: "participants", Value: Metadata{}}}, `[0].value: is an object, want a single value`},
		"a number":                              {Patch{}.Set("metadata.n", 7.0), `{"participants":["ana","boris"],"distinct":true,"metadata":{"topic":"harbour","pier":{"number":"7"},"n":7}}`},
		"an unknown action":                     {Patch{{Action: "move", Property: "x"}}, `[0].operation: is "move", want add, remove, set or delete`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := readObject(t, start)
			got, err := c.patch.Apply(object)
			if diff := cmp.Diff(readObject(t, start), object); diff != "" {
				t.Errorf("the object given was changed (-want +got):\n%s", diff)
			}
			if err != nil {
				if err.Error() != c.want {
					t.Errorf("got  %v\nwant %s", err, c.want)
				}
				return
			}
			if diff := cmp.Diff(readObject(t, c.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func readObject(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return object
}

func TestPatchValidation(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200)
	for name, c := range map[string]struct {
		check func(Patch) error
		patch Patch
		want  []string
	}{
		"nothing":                 {Patch.Validate, Patch{}, []string{"has no operations"}},
		"empty operation":         {Patch.Validate, Patch{{}}, []string{`[0].property: "" has an empty name`, "[0].operation: is missing or empty"}},
		"set of nothing":          {Patch.Validate, Patch{{Action: ActionSet, Property: "a"}}, []string{"[0].value: is missing or null"}},
		"delete of a value":       {Patch.Validate, Patch{{Action: ActionDelete, Property: "a", Value: "x"}}, []string{"[0].value: is of no use to delete; leave it out"}},
		"bad text":                {Patch.Validate, Patch{{Action: ActionDelete, Property: "a\x00"}}, []string{"[0].property: contains a NUL character"}},
		"a conversation":          {Patch.ValidateForConversation, Patch{}.Add("participants", "a").Set("metadata", Metadata{"a": "b"}).Delete("metadata.a.b").Set("participants", []any{"a"}), nil},
		"another property":        {Patch.ValidateForConversation, Patch{}.Set("distinct", true).Add("participants.x", "a"), []string{`[0].property: is "distinct"; a conversation has participants and metadata`, `[1].property: is "participants.x"; a conversation has participants and metadata`}},
		"set metadata to text":    {Patch.ValidateForConversation, Patch{}.Set("metadata", "x"), []string{"[0].value: is a string, want an object"}},
		"metadata numbers":        {Patch.ValidateForConversation, Patch{}.Set("metadata.a", 1).Set("metadata.b", map[string]any{"c": false}), []string{"[0].value: is a number, Layer takes strings and objects of strings", "[1].value.c: is a boolean, Layer takes strings and objects of strings"}},
		"a bad key":               {Patch.ValidateForConversation, Patch{}.Set("metadata.a b", "x"), []string{`[0].property: has the key "a b"; Layer takes letters, digits, - and _`}},
		"add to metadata":         {Patch.ValidateForConversation, Patch{}.Add("metadata", "x"), []string{"[0].operation: is add; metadata takes set and delete"}},
		"delete participants":     {Patch.ValidateForConversation, Patch{}.Delete("participants"), []string{"[0].operation: is delete; a set takes add, remove and set"}},
		"set no participants":     {Patch.ValidateForConversation, Patch{}.Set("participants", []string{}).Set("participants", "a").Set("participants", []any{1}), []string{"[0].value: is missing or empty", "[1].value: is no list of user ids", "[2].value: is no list of user ids"}},
		"add a number":            {Patch.ValidateForConversation, Patch{{Action: ActionAdd, Property: "participants", Value: 7}}, []string{"[0].value: is a number, want a user id"}},
		"a block list":            {Patch.ValidateForBlocks, Patch{}.Add("blocks", "a").Remove("blocks", "b").Set("blocks", []string{}), nil},
		"not of a block list":     {Patch.ValidateForBlocks, Patch{}.Set("suspended", true).Add("blocks", ""), []string{`[0].property: is "suspended"; a block list has blocks`, "[1].value: is missing or empty"}},
		"a user":                  {Patch.ValidateForUser, Patch{}.Set("suspended", true).Add("blocks", "a"), nil},
		"not of a user":           {Patch.ValidateForUser, Patch{}.Set("suspended", "yes").Set("name", "x"), []string{"[0].value: must be true or false, by set", `[1].property: is "name"; a user has suspended and blocks`}},
		"an identity":             {Patch.ValidateForIdentity, Patch{}.Set("first_name", "").Delete("last_name").Set("metadata.berth", "12").Set("metadata", map[string]string{"a": "b"}).Delete("metadata.x").Delete("metadata"), nil},
		"not of an identity":      {Patch.ValidateForIdentity, Patch{}.Set("age", "7").Set("first_name", 7).Add("first_name", "x").Delete("display_name").Set("display_name", "").Set("phone_number", long), []string{`[0].property: is "age", which an identity does not have`, "[1].value: is a number, want a string", "[2].operation: is add; an identity takes set and delete", "[3].property: is display_name, which an identity must have", "[4].value: is empty, and an identity must have a display_name", "[5].value: is 200 characters, Layer takes at most 32"}},
		"metadata of an identity": {Patch.ValidateForIdentity, Patch{}.Set("metadata.a.b", "x").Set("metadata", "x").Set("metadata", map[string]any{"a": 1}).Set("metadata.a", 1), []string{`[0].property: is "metadata.a.b"; the metadata of an identity is flat`, "[1].value: is a string, want an object of strings", "[2].value.a: is a number, want a string", "[3].value: is a number, want a string"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range FieldErrors(c.check(c.patch)) {
				got = append(got, e.Error())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPatchLaws holds for any object and any operation.
func TestPatchLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		object := drawObject(t, 3)
		op := drawOperation(t)
		once, err := Patch{op}.Apply(object)
		if err != nil {
			return
		}
		twice, err := Patch{op}.Apply(once)
		if err != nil || !cmp.Equal(once, twice) {
			t.Fatalf("%v on %v: once %v, twice %v, %v", op, object, once, twice, err)
		}
		then := drawOperation(t)
		together, err1 := Patch{op, then}.Apply(object)
		inTurn, err2 := Patch{then}.Apply(once)
		if (err1 == nil) != (err2 == nil) || !cmp.Equal(together, inTurn) {
			t.Fatalf("%v, %v on %v: together %v, %v; in turn %v, %v", op, then, object, together, err1, inTurn, err2)
		}
	})
}

func drawObject(t *rapid.T, depth int) map[string]any {
	object := map[string]any{}
	for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), func(s string) string { return s }).Draw(t, "keys") {
		switch kind := rapid.IntRange(0, 2).Draw(t, "kind"); {
		case kind == 0 && depth > 0:
			object[key] = drawObject(t, depth-1)
		case kind == 1:
			object[key] = drawList(t)
		default:
			object[key] = rapid.StringN(0, 3, -1).Draw(t, "text")
		}
	}
	return object
}

func drawList(t *rapid.T) []any {
	list := []any{}
	for _, s := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3, func(s string) string { return s }).Draw(t, "list") {
		list = append(list, s)
	}
	return list
}

func drawOperation(t *rapid.T) Operation {
	names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, "names")
	op := Operation{Action: rapid.SampledFrom([]Action{ActionSet, ActionDelete, ActionAdd, ActionRemove}).Draw(t, "action"), Property: PropertyPath(names...)}
	switch op.Action {
	case ActionSet:
		op.Value = drawObject(t, 1)
	case ActionAdd, ActionRemove:
		op.Value = rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "value")
	case ActionDelete:
	}
	return op
}

func FuzzPatch(f *testing.F) {
	f.Add(`[{"operation":"set","property":"metadata.a.b","value":"x"}]`, `{"metadata":{"a":{"b":"y"}}}`)
	f.Add(`[{"operation":"add","property":"participants","value":"x"},{"operation":"delete","property":"a"}]`, `{"participants":["y"]}`)
	f.Add(`[{"operation":"remove","property":"a\\.b","value":[1]}]`, `{"a.b":[[1]]}`)
	f.Fuzz(func(t *testing.T, patchText, objectText string) {
		var (
			patch         Patch
			object, again map[string]any
		)
		if json.Unmarshal([]byte(patchText), &patch) != nil || json.Unmarshal([]byte(objectText), &object) != nil {
			return
		}
		if err := json.Unmarshal([]byte(objectText), &again); err != nil {
			t.Fatal(err)
		}
		for _, check := range []func(Patch) error{Patch.Validate, Patch.ValidateForConversation, Patch.ValidateForBlocks, Patch.ValidateForUser, Patch.ValidateForIdentity} {
			if check(patch) == nil && patch.Validate() != nil {
				t.Errorf("a rule takes a patch of bad form: %s", patchText)
			}
		}
		got, err := patch.Apply(object)
		if !cmp.Equal(object, again) {
			t.Errorf("%s changed the object given", patchText)
		}
		if err == nil && len(patch) > 0 {
			untouched := maps.Clone(again)
			for _, op := range patch {
				names, err := SplitProperty(op.Property)
				if err != nil {
					t.Fatalf("%s was applied", patchText)
				}
				delete(untouched, names[0])
			}
			for key, value := range untouched {
				if !cmp.Equal(got[key], value) {
					t.Errorf("%s changed %q", patchText, key)
				}
			}
		}
	})
}
