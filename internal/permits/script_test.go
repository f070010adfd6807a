package permits

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/internal/redistest"
)

// clocked is the script with a clock that the test sets.
var clocked = redis.NewScript(strings.Replace(source, `redis.call("TIME")`, `redis.call("LRANGE", "{permits}clock", 0, 1)`, 1))

// What the simulation proves of the model is proven of the script as far as the
// two are the same.
func TestModelIsTheScript(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		if err := rdb.Del(t.Context(), keys...).Err(); err != nil {
			rt.Fatal(err)
		}
		pair{t: t, Rand: rt, rdb: rdb}.compare()
	})
}

// pair is the script and the model at the same work.
type pair struct {
	t    *testing.T
	Rand *rapid.T
	rdb  redis.UniversalClient
}

func (p pair) compare() {
	model, now := newModel(), int64(1_700_000_000_123_456)
	options := Options{
		Limit:           Limit{N: p.draw("limit", 1, 8), Per: time.Duration(p.draw("window in ms", 100, 2000)) * time.Millisecond},
		CriticalReserve: p.draw("reserve", 0, 99),
		AttemptTimeout:  time.Second,
	}
	if p.draw("auto", 0, 1) == 1 {
		options.Limit, options.Auto = Limit{}, true
	}
	set, next, given := options.settings(), map[string]uint64{}, map[string][]fate{}
	for range p.draw("exchanges", 1, 40) {
		now += int64(p.draw("pass µs", 0, 1_500_000))
		req := p.request(set, next, given)
		want := model.exchange(now, req)
		if diff := cmp.Diff(want, p.run(now, req), cmp.AllowUnexported(reply{})); diff != "" {
			p.Rand.Fatalf("request %+v (-model +script):\n%s", req, diff)
		}
		p.sameSet(keys[0], &model.held)
		p.sameSet(keys[1], &model.others)
		number := req.first
		for of := range classes {
			for _, begin := range want.begin[of] {
				given[req.worker] = append(given[req.worker], fate{number: number, class: of, begin: now + begin})
				number++
			}
		}
		next[req.worker] += uint64(req.want[critical] + req.want[others])
	}
}

func (p pair) request(set settings, next map[string]uint64, given map[string][]fate) *request {
	worker := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(p.Rand, "worker")
	req := &request{
		worker: worker, set: set, lease: time.Duration(p.draw("lease µs", 0, int(set.life.Microseconds()))) * time.Microsecond, first: next[worker] + 1,
		news:  rapid.SampledFrom([]news{"", "", "", "", "", "", "", "", away, lost, lost, leave}).Draw(p.Rand, "news"),
		count: p.draw("count", 0, 1) == 1,
		epoch: int64(p.draw("epoch", 0, 1)), known: p.draw("known", 0, 4), held: p.draw("held", 0, 10),
		want: [classes]int{p.draw("want critical", 0, 4), p.draw("want others", 0, 4)},
	}
	for range p.draw("tell", 0, len(given[worker])) {
		f := given[worker][p.draw("which", 0, len(given[worker])-1)]
		f.until = time.Duration(p.draw("left µs", -10_000, 2_000_000)) * time.Microsecond
		f.outcome = outcome(p.draw("outcome", 0, 2))
		req.tell = append(req.tell, f)
	}
	return req
}

func (p pair) run(now int64, req *request) reply {
	ctx := p.t.Context()
	pipe := p.rdb.TxPipeline()
	pipe.Del(ctx, "{permits}clock")
	pipe.RPush(ctx, "{permits}clock", now/second, now%second)
	if _, err := pipe.Exec(ctx); err != nil {
		p.Rand.Fatal(err)
	}
	result, err := clocked.Run(ctx, p.rdb, keys, req.args()...).Slice()
	if err != nil {
		p.Rand.Fatal(err)
	}
	r, err := parse(result)
	if err != nil {
		p.Rand.Fatal(err)
	}
	return r
}

func (p pair) sameSet(key string, z *zset) {
	got := map[string]int64{}
	for _, e := range p.rdb.ZRangeWithScores(p.t.Context(), key, 0, -1).Val() {
		name, _ := e.Member.(string)
		got[name] = int64(e.Score)
	}
	want := map[string]int64{}
	for m, score := range z.score {
		want[m.worker+":"+strconv.FormatUint(m.number, 10)] = score
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.Rand.Fatalf("%s (-model +script):\n%s", key, diff)
	}
}

func (p pair) draw(what string, low, high int) int {
	return rapid.IntRange(low, high).Draw(p.Rand, what)
}
