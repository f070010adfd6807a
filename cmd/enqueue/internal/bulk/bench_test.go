package bulk

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParse is what a line costs before it is on its way to Redis.
func BenchmarkParse(b *testing.B) {
	p := newParser()
	const format = `{"type":"message:send","args":{"conversation":"7f1d6b9c-0a3e-4c55-9d5f-2f0f6f0a1b2c","sender":{"name":"Bot"},"parts":[{"mime_type":"text/plain","body":"Hello number %d"}]}}`
	b.SetBytes(int64(len(format)))
	for i := 0; b.Loop(); i++ {
		if _, err := p.parse([]byte(fmt.Sprintf(format, i))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLines is what it costs to take a stream apart.
func BenchmarkLines(b *testing.B) {
	const lines = 10_000
	stream := strings.Repeat(strings.Repeat("x", 180)+"\n", lines)
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		l := newLines(strings.NewReader(stream))
		for range lines {
			if _, _, err := l.next(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
