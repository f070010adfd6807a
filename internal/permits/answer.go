package permits

import (
	"errors"
	"net/http"

	"github.com/layerq/layerq/layer"
)

// underWay tells whether the request of an attempt that is over may still
// reach the server: it was sent, perhaps, and there is no answer.
func underWay(answer layer.Answer) bool {
	if answer.Status != 0 {
		return false
	}
	e, ok := errors.AsType[*layer.TransportError](answer.Err)
	return !ok || e.Kind != layer.KindConnect && e.Kind != layer.KindTLS
}

// unused tells that no attempt was made.
func unused(answer layer.Answer) bool { return errors.Is(answer.Err, layer.ErrNoAttempt) }

func outcomeOf(answer layer.Answer) outcome {
	switch answer.Status {
	case 0:
		return unknown
	case http.StatusTooManyRequests:
		return refused
	default:
		return accepted
	}
}
