// Package redisurl turns a Redis URL into a go-redis client.
//
//	redis://[user:password@]host[:port][/db][?option=value&...]
//	rediss://...                            the same over TLS
//	unix://[user:password@]/path/to/socket[?db=N&...]
//	redis-sentinel://[user:password@]host1,host2/MASTER[?db=N&...]
//	redis-cluster://[user:password@]host1,host2[?...]
//
// rediss-sentinel:// and rediss-cluster:// (or ?tls=true) are the last two over
// TLS. Ports default to 6379, those of sentinels to 26379. User and password are
// percent-encoded where they hold other characters than letters, digits and -._~.
//
// # Options
//
// TLS: tls, tls_ca_file, tls_cert_file, tls_key_file, tls_server_name,
// tls_skip_verify (or skip_verify). Sentinel: sentinel_username, sentinel_password.
// Cluster: max_redirects. And those that go-redis itself knows in a URL: db, protocol,
// client_name, max_retries, min_retry_backoff, max_retry_backoff, dial_timeout,
// dialer_retries, dialer_retry_timeout, read_timeout, write_timeout, pool_fifo,
// pool_size, pool_timeout, min_idle_conns, max_idle_conns, max_active_conns,
// max_concurrent_dials, pipeline_pool_size, pipeline_read_buffer_size,
// pipeline_write_buffer_size, conn_max_idle_time, conn_max_lifetime,
// conn_max_lifetime_jitter. A duration is Go's, or a number of seconds; 0 or less
// switches it off. The last value of a repeated option counts, an empty one is the default.
package redisurl

import (
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Tune changes options before those of the URL are put over them: the user of
// the URL has the last word.
type Tune func(*redis.UniversalOptions)

// Open returns a client for the URL. It reads the files that the URL names, but
// does not connect. Errors name the part of the URL that is wrong, and hold
// neither user nor password.
func Open(url string, tune ...Tune) (redis.UniversalClient, error) {
	opts, err := Parse(url, tune...)
	if err != nil {
		return nil, err
	}
	return redis.NewUniversalClient(opts), nil
}

// Parse is [Open] without making the client. MasterName and IsClusterMode of
// the result tell the kind of Redis apart.
func Parse(url string, tune ...Tune) (*redis.UniversalOptions, error) {
	u, err := split(url)
	if err != nil {
		return nil, err
	}
	opts := defaults()
	for _, f := range tune {
		f(opts)
	}
	opts.Addrs = u.hosts
	opts.Username, opts.Password = u.user, u.password
	opts.DB, opts.MasterName, opts.IsClusterMode = u.db, u.master, u.kind == cluster
	if err := u.apply(opts); err != nil {
		return nil, err
	}
	return opts, nil
}

// Addr returns where the URL points to, fit for logs and errors: without user,
// password and options.
func Addr(url string) string {
	u, err := split(url)
	if err != nil {
		return "an invalid Redis URL"
	}
	hosts := strings.Join(u.hosts, ",")
	switch u.kind {
	case sentinel:
		return "master " + u.master + " of the sentinels " + hosts
	case cluster:
		return "cluster " + hosts
	case socket:
		return "unix:" + hosts
	case single:
	}
	return hosts
}

// defaults are ours where go-redis' own do not fit.
func defaults() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		// Without it a deadline does not end a command that Redis leaves unanswered.
		ContextTimeoutEnabled: true,
		// A command is tried four times with a growing pause, so that a dial need not be
		// tried five times on each of them: a Redis that is not there is found out within a second.
		DialerRetries: 1,
		// A handshake that only managed clusters answer.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}
