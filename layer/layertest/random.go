package layertest

import (
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
	"sync"

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
