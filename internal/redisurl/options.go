package redisurl

import (
	"errors"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// option puts the value of one option where it belongs.
type option func(o *redis.UniversalOptions, value string) error

// options are those that do not concern TLS.
var options = map[string]option{
	"db":                         db,
	"protocol":                   integer(func(o *redis.UniversalOptions) *int { return &o.Protocol }),
	"max_retries":                integer(func(o *redis.UniversalOptions) *int { return &o.MaxRetries }),
	"dialer_retries":             integer(func(o *redis.UniversalOptions) *int { return &o.DialerRetries }),
	"pool_size":                  integer(func(o *redis.UniversalOptions) *int { return &o.PoolSize }),
	"min_idle_conns":             integer(func(o *redis.UniversalOptions) *int { return &o.MinIdleConns }),
	"max_idle_conns":             integer(func(o *redis.UniversalOptions) *int { return &o.MaxIdleConns }),
	"max_active_conns":           integer(func(o *redis.UniversalOptions) *int { return &o.MaxActiveConns }),
	"max_concurrent_dials":       integer(func(o *redis.UniversalOptions) *int { return &o.MaxConcurrentDials }),
	"pipeline_pool_size":         integer(func(o *redis.UniversalOptions) *int { return &o.PipelinePoolSize }),
	"pipeline_read_buffer_size":  integer(func(o *redis.UniversalOptions) *int { return &o.PipelineReadBufferSize }),
	"pipeline_write_buffer_size": integer(func(o *redis.UniversalOptions) *int { return &o.PipelineWriteBufferSize }),
	"max_redirects":              integer(func(o *redis.UniversalOptions) *int { return &o.MaxRedirects }),
	"min_retry_backoff":          duration(func(o *redis.UniversalOptions) *time.Duration { return &o.MinRetryBackoff }),
	"max_retry_backoff":          duration(func(o *redis.UniversalOptions) *time.Duration { return &o.MaxRetryBackoff }),
	"dial_timeout":               duration(func(o *redis.UniversalOptions) *time.Duration { return &o.DialTimeout }),
	"dialer_retry_timeout":       duration(func(o *redis.UniversalOptions) *time.Duration { return &o.DialerRetryTimeout }),
	"read_timeout":               duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ReadTimeout }),
	"write_timeout":              duration(func(o *redis.UniversalOptions) *time.Duration { return &o.WriteTimeout }),
	"pool_timeout":               duration(func(o *redis.UniversalOptions) *time.Duration { return &o.PoolTimeout }),
	"conn_max_idle_time":         duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ConnMaxIdleTime }),
	"idle_timeout":               duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ConnMaxIdleTime }),
	"conn_max_lifetime":          duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ConnMaxLifetime }),
	"max_conn_age":               duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ConnMaxLifetime }),
	"conn_max_lifetime_jitter":   duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ConnMaxLifetimeJitter }),
	"pool_fifo":                  boolean(func(o *redis.UniversalOptions) *bool { return &o.PoolFIFO }),
	"client_name":                text(func(o *redis.UniversalOptions) *string { return &o.ClientName }),
	"sentinel_username":          text(func(o *redis.UniversalOptions) *string { return &o.SentinelUsername }),
	"sentinel_password":          text(func(o *redis.UniversalOptions) *string { return &o.SentinelPassword }),
}

// only says which kind of Redis an option is for; those not listed are for all.
var only = map[string]kind{
	"sentinel_username": sentinel,
	"sentinel_password": sentinel,
	"max_redirects":     cluster,
}

// optionName is what may be quoted in an error: the pieces of an unencoded password are not.
var optionName = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// apply puts the URL's options over those of opts.
func (u *parts) apply(opts *redis.UniversalOptions) error {
	var tlsOptions tlsFiles
	for _, name := range slices.Sorted(maps.Keys(u.query)) {
		value := u.query[name][len(u.query[name])-1]
		set, ok := options[name]
		if !ok {
			set, ok = tlsOptions.option(name)
		}
		switch kind, restricted := only[name]; {
		case !ok && optionName.MatchString(name):
			return fail("option "+name, "it is unknown")
		case !ok:
			return fail("options", "one is unknown "+encodeHint)
		case restricted && kind != u.kind:
			return fail("option "+name, "it is not for this kind of Redis")
		case value == "":
			continue
		}
		if err := set(opts, value); err != nil {
			return fail("option "+name, "%s", err)
		}
	}
	if u.kind == cluster && opts.DB != 0 {
		return fail("option db", "a Redis Cluster has no database but 0")
	}
	opts.ConnMaxLifetimeJitter = min(opts.ConnMaxLifetimeJitter, max(opts.ConnMaxLifetime, 0))
	return tlsOptions.apply(u, opts)
}

func db(o *redis.UniversalOptions, value string) (err error) {
	o.DB, err = database(value)
	return err
}

func integer(field func(*redis.UniversalOptions) *int) option {
	return func(o *redis.UniversalOptions, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n > math.MaxInt32 || n < math.MinInt32 {
			return errors.New("want a number")
		}
		*field(o) = n
		return nil
	}
}

func duration(field func(*redis.UniversalOptions) *time.Duration) option {
	return func(o *redis.UniversalOptions, value string) error {
		d, err := time.ParseDuration(value)
		if n, errNumber := strconv.ParseInt(value, 10, 32); errNumber == nil {
			d, err = time.Duration(n)*time.Second, nil
		}
		if err != nil {
			return errors.New("want a duration such as 500ms, or a number of seconds")
		}
		if d <= 0 {
			d = -1 // go-redis' way to say: none
		}
		*field(o) = d
		return nil
	}
}

func boolean(field func(*redis.UniversalOptions) *bool) option {
	return func(o *redis.UniversalOptions, value string) error {
		b, err := parseBool(value)
		if err == nil {
			*field(o) = b
		}
		return err
	}
}

func parseBool(value string) (bool, error) {
	switch value {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, errors.New("want true or false")
}

func text(field func(*redis.UniversalOptions) *string) option {
	return func(o *redis.UniversalOptions, value string) error {
		*field(o) = value
		return nil
	}
}
