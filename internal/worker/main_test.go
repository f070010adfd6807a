package worker

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/redisurl"
)

func TestMain(m *testing.M) {
	redisurl.Quiet() // outages are made on purpose here
	goleak.VerifyTestMain(m)
}
