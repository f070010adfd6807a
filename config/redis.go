package config

import (
	"errors"
	"strings"

	"github.com/layerq/layerq/internal/redisurl"
)

// parseRedisURL takes what the clients of the queues can be made of. Making one
// does not connect.
func parseRedisURL(s string) (string, error) {
	rdb, err := redisurl.Open(s)
	if err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), "redisurl: "))
	}
	return s, rdb.Close()
}
