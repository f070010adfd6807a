package config

import (
	"errors"
	"strings"

	"github.com/layerq/layerq/internal/redisurl"
)

// parseRedisURL takes what the clients of the queues can be made of. It reads
// the files that the URL names, but does not connect.
func parseRedisURL(s string) (string, error) {
	if _, err := redisurl.Parse(s); err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), "redisurl: "))
	}
	return s, nil
}
