package main

import (
	"log/slog"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/internal/tokenfile"
	"github.com/layerq/layerq/internal/worker"
)

// A hold is what keeps this worker away from Layer together with all others, and
// the token that calls are made with.
type hold struct {
	keeper *holds.Keeper
	file   *tokenfile.Token // nil if the token is not in a file
	token  func() string
}

// newHold asks Redis through a client that is tuned as that of the permits.
func newHold(cfg *config.Worker, rdb redis.UniversalClient, metrics *worker.Metrics, log *slog.Logger) *hold {
	h := &hold{token: cfg.Layer.Token.Reveal}
	var keeper atomic.Pointer[holds.Keeper] // nil for a moment; it begins with the token of then
	if path := cfg.Layer.TokenFile; path != "" {
		h.file = tokenfile.Follow(cfg.Layer.Token.Reveal(), tokenfile.Options{
			Read: func() (string, error) {
				token, err := config.ReadToken(path)
				return token.Reveal(), err
			},
			Changed: func() {
				if k := keeper.Load(); k != nil {
					k.TokenChanged()
				}
			},
			Log: log,
		})
		h.token = h.file.Current
	}
	h.keeper = holds.New(rdb, holds.Options{
		Token: h.token, App: cfg.Layer.BaseURL + " " + cfg.Layer.AppID.String(),
		AttemptTimeout: cfg.Layer.Timeout, FindsLimit: cfg.RateLimit.Auto, Log: log,
	})
	keeper.Store(h.keeper)
	metrics.Register(h.keeper)
	return h
}

// close is for when no task is in hand any more.
func (h *hold) close() {
	if h.file != nil {
		h.file.Close()
	}
	h.keeper.Close()
}
