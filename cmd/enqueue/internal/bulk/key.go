package bulk

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/layerq/layerq/tasks"
)

// places counts equal lines, so that the second of two is another task than the
// first, and the same one when the stream comes again.
//
// It knows lines by 8 bytes of their hash. Should two different lines have these in
// common, one has a higher place than it needs: its key is its own all the same,
// and the same one next time. Nearly all lines of a stream are there once, which
// is why those have a set of their own: it takes half the room of a map of counts.
type places struct {
	once map[uint64]struct{}
	more map[uint64]uint32
}

// next returns the place of a line among those with its hash, from 1.
func (p *places) next(hash uint64) uint32 {
	if p.once == nil {
		p.once, p.more = map[uint64]struct{}{}, map[uint64]uint32{}
	}
	if _, seen := p.once[hash]; !seen {
		p.once[hash] = struct{}{}
		return 1
	}
	place := max(p.more[hash], 1) + 1
	p.more[hash] = place
	return place
}

// key is the business key of a line that names none: its content, and its place
// among equal lines. How the JSON of the line is written does not matter.
func (p *places) key(o *object, task tasks.Task) (string, error) {
	payload, err := tasks.Encode(task)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, field := range []string{task.Type(), string(payload), text(o.Queue), text(o.At), text(o.Expires)} {
		// The length keeps two fields from looking like two others.
		_ = binary.Write(h, binary.BigEndian, uint64(len(field)))
		_, _ = h.Write([]byte(field))
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	place := p.next(binary.BigEndian.Uint64(sum[:8]))
	const enough = 16 // bytes of the hash: as much as a UUID holds
	return "bulk:" + hex.EncodeToString(sum[:enough]) + ":" + strconv.FormatUint(uint64(place), 10), nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
