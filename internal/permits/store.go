package permits

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

//go:embed find.lua
var findLua string

//go:embed exchange.lua
var exchangeLua string

var (
	source = findLua + exchangeLua
	sha    = redis.NewScript(source).Hash()
)

// keys live in one slot of a Cluster.
var keys = []string{
	"layerq:{permits}:held",
	"layerq:{permits}:others",
	"layerq:{permits}:waiting",
	"layerq:{permits}:workers",
	"layerq:{permits}:state",
}

// store runs the script in Redis.
type store struct {
	rdb redis.UniversalClient
}

func (s *store) exchange(ctx context.Context, req *request) (reply, error) {
	args := req.args()
	result, err := s.rdb.EvalSha(ctx, sha, keys, args...).Slice()
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		args[1] = string(lost) // or it is the first time: then there is nothing to lose
		result, err = s.rdb.Eval(ctx, source, keys, args...).Slice()
	}
	if err != nil {
		return reply{}, fmt.Errorf("permits: %w", err)
	}
	return parse(result)
}

// args are the ARGV of the script.
func (r *request) args() []any {
	args := make([]any, 0, 16+5*len(r.tell))
	count := 0
	if r.count {
		count = 1
	}
	args = append(args, r.worker, string(r.news), count, r.set.limit, r.set.reserve,
		r.set.window.Microseconds(), r.set.life.Microseconds(), r.lease.Microseconds(), r.set.ahead.Microseconds(), r.set.yield.Microseconds(),
		r.held, r.known, r.epoch, r.want[critical], r.want[others], r.first)
	for _, f := range r.tell {
		args = append(args, f.number, f.left(r.sent), int(f.class), int(f.outcome), f.begin)
	}
	return args
}

var errReply = errors.New("permits: unexpected reply of the script")

func parse(fields []any) (reply, error) {
	if len(fields) != 11 {
		return reply{}, errReply
	}
	var r reply
	var numbers [9]int64
	for i := range numbers {
		switch v := fields[i].(type) {
		case int64:
			numbers[i] = v
		case string:
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return reply{}, errReply
			}
			numbers[i] = n
		default:
			return reply{}, errReply
		}
	}
	r.now, r.limit, r.taken, r.workers = numbers[0], int(numbers[1]), int(numbers[2]), int(numbers[3])
	r.waiting = [classes]int{int(numbers[4]), int(numbers[5])}
	r.epoch, r.wait, r.rivals = numbers[6], numbers[7], int(numbers[8])
	for of := range classes {
		begins, ok := fields[9+int(of)].([]any)
		if !ok {
			return reply{}, errReply
		}
		for _, begin := range begins {
			µs, ok := begin.(int64)
			if !ok {
				return reply{}, errReply
			}
			r.begin[of] = append(r.begin[of], µs)
		}
	}
	return r, nil
}
