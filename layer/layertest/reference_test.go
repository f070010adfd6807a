package layertest_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

// TestReference replays the exchanges of testdata/reference: what clients of
// 2015 and 2016 sent and what the service answered, as its documentation and
// recordings of its traffic have it, with values of our own. Each exchange
// names the section of the API reference that it comes from.
func TestReference(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/reference/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no exchanges: %v", err)
	}
	sections := map[string]bool{}
	for _, file := range files {
		story, err := readStory(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, x := range story {
			number, _, _ := strings.Cut(x.title, " ")
			chapter, _, _ := strings.Cut(number, ".")
			sections[chapter] = true
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			w := newWire(t, layertest.WithConfig(layertest.Config{Seed: 1}))
			values := map[string]string{"app": layertest.DefaultAppID}
			for _, x := range story {
				if err := x.replay(w, values); err != nil {
					t.Fatalf("%s: %s %s: %v", x.title, x.method, x.path, err) // what follows builds on it
				}
			}
		})
	}
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22} {
		if !sections[strconv.Itoa(n)] {
			t.Errorf("no exchange is from section %d", n)
		}
	}
}

// exchange is a request and the answer that it must get. In paths and bodies
// ${name} stands for a value that an answer before brought, or that this one
// brings.
type exchange struct {
	title        string // section and subject
	method, path string
	headers      [][2]string // "-" leaves out one that is sent otherwise
	body         string
	status       int
	wantHeaders  [][2]string // "-" wants none
	want         string
}

// readStory reads exchanges in the form
//
//	## 12.1 a subject
//	> POST /path
//	> Header: value
//	{"body":"of the request"}
//	< 201
//	< Header: value
//	{"body":"of the answer"}
func readStory(file string) ([]*exchange, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var story []*exchange
	var x *exchange
	var lines *string
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		mark, rest, _ := strings.Cut(in.Text(), " ")
		switch {
		case mark == "##":
			x = &exchange{title: rest}
			story = append(story, x)
		case mark == "" || mark == "#": // between exchanges
		case x == nil:
			return nil, errors.New("an exchange begins with ##")
		case mark == ">" && x.method == "":
			x.method, x.path, _ = strings.Cut(rest, " ")
			lines = &x.body
		case mark == ">":
			x.headers = append(x.headers, headerOf(rest))
		case mark == "<" && x.status == 0:
			if x.status, err = strconv.Atoi(rest); err != nil {
				return nil, err
			}
			lines = &x.want
		case mark == "<":
			x.wantHeaders = append(x.wantHeaders, headerOf(rest))
		default:
			*lines += in.Text()
		}
	}
	return story, in.Err()
}

func headerOf(line string) [2]string {
	name, value, _ := strings.Cut(line, ": ")
	return [2]string{name, value}
}

var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// fill puts known values in the place of their names.
func fill(s string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(s, func(p string) string {
		if v, ok := values[p[2:len(p)-1]]; ok {
			return v
		}
		return p
	})
}

func (x *exchange) replay(w *wire, values map[string]string) error {
	var headers []string
	for _, h := range x.headers {
		if h[1] == "-" {
			h[1] = ""
		}
		headers = append(headers, h[0], fill(h[1], values))
	}
	path := strings.TrimPrefix(fill(x.path, values), w.srv.URL()) // the storage's addresses are whole ones
	a := w.do(x.method, path, fill(x.body, values), headers...)
	if a.status != x.status {
		return fmt.Errorf("got %d %s, want %d", a.status, a.body, x.status)
	}
	for _, h := range x.wantHeaders {
		if err := matchHeader(a.header, h[0], fill(h[1], values)); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(x.want, "{") && !strings.HasPrefix(x.want, "[") {
		if a.body != fill(x.want, values) {
			return fmt.Errorf("the body is %q, want %q", a.body, x.want)
		}
		return nil
	}
	var want, got any
	if err := json.Unmarshal([]byte(x.want), &want); err != nil {
		return fmt.Errorf("what is wanted: %w", err)
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		return fmt.Errorf("%q: %w", a.body, err)
	}
	if err := matchJSON("", want, got, values); err != nil {
		return fmt.Errorf("%w in\n%s", err, a.body)
	}
	return nil
}

func matchHeader(h http.Header, name, want string) error {
	got, there := h[http.CanonicalHeaderKey(name)]
	switch {
	case want == "-" && there:
		return fmt.Errorf("there is a %s: %q", name, got)
	case want != "-" && (len(got) != 1 || got[0] != want):
		return fmt.Errorf("%s is %q, want %q", name, got, want)
	}
	return nil
}

// kindsOfText are the words that stand for any text of a form.
var kindsOfText = map[string]*regexp.Regexp{
	"$time": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`),
	"$uuid": regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`),
	"$text": regexp.MustCompile(`^`),
}

// matchJSON compares values: each member of an object must be wanted and there,
// lists have an order but participants and blocks, which are sets. "$any" is
// any value, "$int" any whole number.
func matchJSON(where string, want, got any, values map[string]string) error {
	switch want := want.(type) {
	case string:
		return matchText(where, want, got, values)
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v, want an object", where, got)
		}
		if w, g := slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(object)); !slices.Equal(w, g) {
			return fmt.Errorf("%s has the members %v, want %v", where, g, w)
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if err := matchJSON(where+"."+key, want[key], object[key], values); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s is %v, want %v", where, got, want)
		}
		if strings.HasSuffix(where, ".participants") {
			want, list = sortedTexts(want), sortedTexts(list)
		}
		for i := range want {
			if err := matchJSON(fmt.Sprintf("%s[%d]", where, i), want[i], list[i], values); err != nil {
				return err
			}
		}
		return nil
	default:
		if want != got {
			return fmt.Errorf("%s is %v, want %v", where, got, want)
		}
		return nil
	}
}

func matchText(where, want string, got any, values map[string]string) error {
	text, isText := got.(string)
	number, isNumber := got.(float64)
	switch form := kindsOfText[want]; {
	case want == "$any", want == "$int" && isNumber && number == float64(int64(number)):
		return nil
	case !isText:
		return fmt.Errorf("%s is %v, want %q", where, got, want)
	case form != nil && form.MatchString(text):
		return nil
	}
	// Names of values that are not known yet take what they find.
	want = fill(want, values)
	pattern := regexp.QuoteMeta(want)
	names := placeholder.FindAllStringSubmatch(want, -1)
	for _, name := range names {
		pattern = strings.Replace(pattern, regexp.QuoteMeta(name[0]), "(.+)", 1)
	}
	found := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(text)
	if found == nil {
		return fmt.Errorf("%s is %q, want %q", where, text, want)
	}
	for i, name := range names {
		values[name[1]] = found[i+1]
	}
	return nil
}

func sortedTexts(list []any) []any {
	return slices.SortedFunc(slices.Values(list), func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}
