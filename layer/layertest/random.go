package layertest

import (
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
)

// randomness is where ids, tokens and the dice of faults come from: the
// system, or a seed that makes a run repeatable.
type randomness struct {
	mu     sync.Mutex
	seed   uint64
	source *mathrand.ChaCha8
	dice   *mathrand.Rand
}

func newRandomness(seed uint64) *randomness {
	r := &randomness{seed: seed}
	r.reset()
	return r
}

// reset begins the sequence of a seed anew.
func (r *randomness) reset() {
	var key [32]byte
	if r.seed == 0 {
		_, _ = rand.Read(key[:]) // never fails
	} else {
		binary.LittleEndian.PutUint64(key[:], r.seed)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source = mathrand.NewChaCha8(key)
	r.dice = mathrand.New(r.source)
}

// id returns a random UUID, version 4.
func (r *randomness) id() uuid.UUID {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, err := uuid.NewRandomFromReader(r.source)
	if err != nil {
		panic("layertest: " + err.Error()) // the source never fails
	}
	return id
}

// gregorian is 1582-10-15, from which on the time in a UUID is counted, in steps
// of 100 ns before 1970.
const gregorian = 122_192_928_000_000_000

// timeBased returns a UUID, version 1. Random bits stand in for clock sequence
// and node, so that a seed decides about all but the time, and nothing is told of
// the machine.
//
// RFC 4122, 4.2 and 4.5.
func (r *randomness) timeBased(now time.Time) uuid.UUID {
	id := r.id() // whose variant is that of version 1 as well
	ticks := uint64(now.UnixNano()/100 + gregorian)
	binary.BigEndian.PutUint32(id[:4], uint32(ticks))
	binary.BigEndian.PutUint16(id[4:6], uint16(ticks>>32))
	binary.BigEndian.PutUint16(id[6:8], uint16(ticks>>48)|1<<12)
	id[10] |= 1 // the node is no hardware address
	return id
}

// fill fills b with random bytes.
func (r *randomness) fill(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.source.Read(b) // never fails
}

// roll says yes with the given probability.
func (r *randomness) roll(probability float64) bool {
	if probability >= 1 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dice.Float64() < probability
}
