package holds

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed hold.lua
var source string

var sha = redis.NewScript(source).Hash()

const (
	// fleetKey and ownKey live in one slot of a Cluster.
	fleetKey = "layerq:{hold}"
	ownKey   = "layerq:{hold}:credentials:"
	// channel is where changes are published, with the name of who made them.
	channel = "layerq:hold"
)

// ask is what a worker asks of the script; see there.
type ask string

const (
	tell      ask = "tell"
	getProbe  ask = "probe"
	probeOK   ask = "ok"
	probeFail ask = "failed"
	probeBack ask = "back"
)

// request is one run of the script.
type request struct {
	ask         ask
	pass        string
	credentials string
	answered    time.Time // when the API answered this worker last; zero if that is not told
	failures    []time.Time
	lastCode    string // of the failures
	found       finding
	enough      int       // so many failures in a row are an outage
	began       time.Time // the attempt that found it
	amid        bool      // other calls were answered since the fleet opened
	lease       time.Duration
}

// reply is how things stand.
type reply struct {
	reason  Reason // empty if this worker is not held
	code    string
	left    time.Duration
	probing time.Duration // somebody else probes for so long
	probes  bool          // the pass has the probe
	confirm time.Duration // wait so long for the fleet's word on an outage
	began   Reason        // of a hold that began by this request
	mark    time.Duration // for how long the queues are to be marked as held, negative to take the mark away
	nth     int64         // the number of that
	failed  int           // how many probes of the hold failed
}

type store struct {
	rdb    redis.UniversalClient
	worker string
	random func() float64 // from 0 to 1, spreads pauses
}

func newStore(rdb redis.UniversalClient, worker string) *store {
	return &store{rdb: rdb, worker: worker, random: rand.Float64}
}

var errReply = errors.New("holds: unexpected reply of the script")

func (s *store) run(ctx context.Context, req *request) (reply, error) {
	keys := []string{fleetKey, ownKey + req.credentials}
	args := s.args(req, time.Now())
	result, err := s.rdb.EvalSha(ctx, sha, keys, args...).Slice()
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		result, err = s.rdb.Eval(ctx, source, keys, args...).Slice()
	}
	if err != nil {
		return reply{}, fmt.Errorf("holds: %w", err)
	}
	return parse(result)
}

func (s *store) args(req *request, now time.Time) []any {
	ago := func(t time.Time) int64 { return max(0, now.Sub(t).Milliseconds()) }
	answered, own, amid, began := int64(-1), "", "", int64(0)
	if !req.answered.IsZero() {
		answered = ago(req.answered)
	}
	if req.found.own() {
		own = "1"
	}
	if req.amid {
		amid = "1"
	}
	if !req.began.IsZero() {
		began = ago(req.began)
	}
	p, outage := pauses[req.found.reason], pauses[Outage]
	reason := req.found.reason
	if req.found.kind == nothing {
		reason = ""
	}
	args := []any{
		string(req.ask), s.worker, req.pass, req.credentials, s.random(),
		answered, req.enough, confirm.Milliseconds(), req.lease.Milliseconds(), channel,
		string(reason), req.found.code, own, req.found.wait.Milliseconds(), p.least.Milliseconds(), p.most.Milliseconds(), began,
		req.lastCode, outage.least.Milliseconds(), outage.most.Milliseconds(), amid,
		threshold, least,
	}
	for _, at := range req.failures {
		args = append(args, ago(at))
	}
	return args
}

func parse(fields []any) (reply, error) {
	if len(fields) != 10 {
		return reply{}, errReply
	}
	texts, numbers := make([]string, len(fields)), make([]int64, len(fields))
	for i, field := range fields {
		switch v := field.(type) {
		case string:
			texts[i] = v
		case int64:
			numbers[i] = v
		default:
			return reply{}, errReply
		}
	}
	ms := func(i int) time.Duration { return time.Duration(numbers[i]) * time.Millisecond }
	return reply{
		reason: Reason(texts[0]), code: texts[1], left: ms(2), probing: ms(3), probes: texts[4] == "1",
		confirm: ms(5), began: Reason(texts[6]), mark: ms(7), nth: numbers[8],
		failed: int(max(numbers[9], 0)),
	}, nil
}
