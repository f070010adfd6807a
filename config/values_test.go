package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/golden"
)

// base makes a worker's configuration whole, so that only the value under test
// can be wrong.
var base = []string{
	"REDIS_URL=redis://127.0.0.1:6379",
	"LAYER_APP_ID=11111111-1111-4111-8111-111111111111",
	"LAYER_TOKEN=s3cret",
}

func TestWrongValues(t *testing.T) {
	t.Parallel()
	cases := []string{
		"REDIS_URL=http://127.0.0.1:6379", "REDIS_URL=127.0.0.1", "REDIS_URL=redis://h:99999",
		"REDIS_URL=redis://h/x", "REDIS_URL=redis://h:6379/-1", "REDIS_URL=redis://h?nonsense=1", "REDIS_URL= redis://h",
		"REDIS_URL=redis-sentinel://h1,h2", "REDIS_URL=unix://", "REDIS_URL=redis://\x00",

		"LAYER_BASE_URL=api.layer.com", "LAYER_BASE_URL=https://", "LAYER_BASE_URL=https:///apps", "LAYER_BASE_URL=https:api.layer.com",
		"LAYER_BASE_URL=https://user@h", "LAYER_BASE_URL=https://h?a=b", "LAYER_BASE_URL=https://h?", "LAYER_BASE_URL=https://h#f",
		"LAYER_BASE_URL=https://h:0", "LAYER_BASE_URL=https://h:99999", "LAYER_BASE_URL=https://h:", "LAYER_BASE_URL=https://h h",
		"LAYER_BASE_URL=unix:///run/layer.sock", "LAYER_BASE_URL=https://-h-", "LAYER_BASE_URL=https://h:http",

		"LAYER_APP_ID=my-app", "LAYER_APP_ID=00000000-0000-0000-0000-000000000000", "LAYER_APP_ID=layer:///apps/other/11111111-1111-4111-8111-111111111111",
		"LAYER_APP_ID=11111111111141118111111111111111", "LAYER_APP_ID={11111111-1111-4111-8111-111111111111}",
		"LAYER_APP_ID=layer:///messages/11111111-1111-4111-8111-111111111111",

		"LAYER_TOKEN= s3cret", "LAYER_TOKEN=s3cret\n", "LAYER_TOKEN=s3\x00cret", "LAYER_TOKEN=" + strings.Repeat("s3cret", 1000),

		"LAYER_API_VERSION=3.0", "LAYER_API_VERSION=1", "LAYER_API_VERSION=1.2", "LAYER_API_VERSION=latest",

		"LAYER_TIMEOUT=10", "LAYER_TIMEOUT=0", "LAYER_TIMEOUT=0s", "LAYER_TIMEOUT=-1s", "LAYER_TIMEOUT=1us", "LAYER_TIMEOUT=1h", "LAYER_TIMEOUT=1d",
		"LAYER_TIMEOUT=10 s", "LAYER_TIMEOUT=99999999999999h", "LAYER_TIMEOUT=ten seconds", "LAYER_TIMEOUT=NaN",

		"LAYERQ_QUEUES=critical", "LAYERQ_QUEUES=critical=", "LAYERQ_QUEUES=critical=0", "LAYERQ_QUEUES=critical=-1", "LAYERQ_QUEUES=critical=10001",
		"LAYERQ_QUEUES=critical=1.5", "LAYERQ_QUEUES=critical=1,", "LAYERQ_QUEUES=,", "LAYERQ_QUEUES=critical=1,critical=2", "LAYERQ_QUEUES=Critical=1",
		"LAYERQ_QUEUES=urgent=1", "LAYERQ_QUEUES=critical:1", "LAYERQ_QUEUES=critical=1;default=2", "LAYERQ_QUEUES==1", "LAYERQ_QUEUES=critical=99999999999999999999",
		"LAYERQ_QUEUES=critical=+1", "LAYERQ_QUEUES=critical=1=2", "LAYERQ_QUEUES=bluk=1",

		"LAYERQ_RATE_LIMIT=100", "LAYERQ_RATE_LIMIT=100/", "LAYERQ_RATE_LIMIT=/1s", "LAYERQ_RATE_LIMIT=0/1s", "LAYERQ_RATE_LIMIT=-1/1s", "LAYERQ_RATE_LIMIT=100/0s",
		"LAYERQ_RATE_LIMIT=100/m", "LAYERQ_RATE_LIMIT=100/1", "LAYERQ_RATE_LIMIT=100 / 1s", "LAYERQ_RATE_LIMIT=1e3/1s", "LAYERQ_RATE_LIMIT=1000001/1s",
		"LAYERQ_RATE_LIMIT=100/25h", "LAYERQ_RATE_LIMIT=100/1ms", "LAYERQ_RATE_LIMIT=none", "LAYERQ_RATE_LIMIT=OFF", "LAYERQ_RATE_LIMIT=100/1s/2", "LAYERQ_RATE_LIMIT=100/second",

		"LAYERQ_CRITICAL_RESERVE=10", "LAYERQ_CRITICAL_RESERVE=%", "LAYERQ_CRITICAL_RESERVE=100%", "LAYERQ_CRITICAL_RESERVE=101%", "LAYERQ_CRITICAL_RESERVE=-1%",
		"LAYERQ_CRITICAL_RESERVE=0.1", "LAYERQ_CRITICAL_RESERVE=12.5%", "LAYERQ_CRITICAL_RESERVE=10%%", "LAYERQ_CRITICAL_RESERVE=10 %",

		"LAYERQ_MAX_ATTEMPTS=0", "LAYERQ_MAX_ATTEMPTS=-1", "LAYERQ_MAX_ATTEMPTS=10001", "LAYERQ_MAX_ATTEMPTS=2.5", "LAYERQ_MAX_ATTEMPTS=unlimited", "LAYERQ_MAX_ATTEMPTS=0x10", "LAYERQ_MAX_ATTEMPTS=1_000",

		"LAYERQ_RETRY_MIN=1", "LAYERQ_RETRY_MIN=0s", "LAYERQ_RETRY_MIN=11m", "LAYERQ_RETRY_MAX=0", "LAYERQ_RETRY_MAX=25h", "LAYERQ_RETRY_MAX=999ms",
		"LAYERQ_DRAIN_TIMEOUT=25", "LAYERQ_DRAIN_TIMEOUT=0s", "LAYERQ_DRAIN_TIMEOUT=-25s", "LAYERQ_DRAIN_TIMEOUT=2h",
		"LAYERQ_RETENTION=0s", "LAYERQ_RETENTION=999ms", "LAYERQ_RETENTION=1500ms", "LAYERQ_RETENTION=24", "LAYERQ_RETENTION=9000h", "LAYERQ_RETENTION=1d",

		"LAYERQ_SOURCE_DIRS=pictures", "LAYERQ_SOURCE_DIRS=./pictures", "LAYERQ_SOURCE_DIRS=/", "LAYERQ_SOURCE_DIRS=/srv/..", "LAYERQ_SOURCE_DIRS=/srv/a,", "LAYERQ_SOURCE_DIRS=/srv/a,b",
		"LAYERQ_SOURCE_DIRS=/srv/a,/srv/a/", "LAYERQ_SOURCE_DIRS=/srv,/mnt,/srv/a", "LAYERQ_SOURCE_DIRS=/srv/a,/srv", "LAYERQ_SOURCE_DIRS=/srv/\x00", "LAYERQ_SOURCE_DIRS=file:///srv",
		"LAYERQ_SOURCE_PRIVATE=yes", "LAYERQ_SOURCE_PRIVATE=True", "LAYERQ_SOURCE_PRIVATE=1", "LAYERQ_SOURCE_PRIVATE=10.0.0.0/8",
		"LAYERQ_SOURCE_MAX_SIZE=100", "LAYERQ_SOURCE_MAX_SIZE=0B", "LAYERQ_SOURCE_MAX_SIZE=-1MiB", "LAYERQ_SOURCE_MAX_SIZE=3GiB", "LAYERQ_SOURCE_MAX_SIZE=2147483649B", "LAYERQ_SOURCE_MAX_SIZE=1.5GiB",
		"LAYERQ_SOURCE_MAX_SIZE=100MB", "LAYERQ_SOURCE_MAX_SIZE=100M", "LAYERQ_SOURCE_MAX_SIZE=MiB", "LAYERQ_SOURCE_MAX_SIZE=25 MiB", "LAYERQ_SOURCE_MAX_SIZE=25mib", "LAYERQ_SOURCE_MAX_SIZE=99999999999999999999GiB",
		"LAYERQ_SOURCE_TIMEOUT=30", "LAYERQ_SOURCE_TIMEOUT=0s", "LAYERQ_SOURCE_TIMEOUT=1ms", "LAYERQ_SOURCE_TIMEOUT=13h",

		"LAYERQ_ADMIN_ADDR=8080", "LAYERQ_ADMIN_ADDR=127.0.0.1", "LAYERQ_ADMIN_ADDR=127.0.0.1:", "LAYERQ_ADMIN_ADDR=:http", "LAYERQ_ADMIN_ADDR=127.0.0.1:65536", "LAYERQ_ADMIN_ADDR=127.0.0.1:-1",
		"LAYERQ_ADMIN_ADDR=::1", "LAYERQ_ADMIN_ADDR=http://127.0.0.1:8080", "LAYERQ_ADMIN_ADDR=a b:8080", "LAYERQ_ADMIN_ADDR=h:1:2", "LAYERQ_ADMIN_ADDR=[::1]",

		"LAYERQ_ADMIN_TOKEN=s3cret word", "LAYERQ_LOG_FORMAT=xml", "LAYERQ_LOG_LEVEL=WARN", "LAYERQ_LOG_LEVEL=warning", "LAYERQ_LOG_LEVEL=0",

		"--redis-url=", "--layer-base-url=", "--layer-app-id=", "--layer-token=", "--layer-api-version=", "--layer-timeout=", "--queues=", "--rate-limit=", "--critical-reserve=",
		"--max-attempts=", "--retry-min=", "--retry-max=", "--drain-timeout=", "--retention=", "--source-dirs=", "--source-private=", "--source-max-size=", "--source-timeout=", "--admin-addr=", "--admin-token=", "--log-format=", "--log-level=",
		"--layer-token=a b", "--max-attempts=" + strings.Repeat("9", 200), "--queues=\xff\xfe", "--log-level=\x1b[31mred",
	}
	var all strings.Builder
	for _, line := range cases {
		_, err := worker(t, append(append([]string{}, base...), line)...)
		var wrong config.Errors
		if !errors.As(err, &wrong) || len(wrong) != 1 {
			t.Errorf("%.60q: got %v, want one error", line, err)
			continue
		}
		name, _, _ := strings.Cut(line, "=")
		if e := wrong[0]; e.Source != name || e.Problem == "" || e.Allowed == "" {
			t.Errorf("%.60q: got %+v", line, e)
		}
		if strings.Contains(err.Error(), "s3cret") || strings.ContainsAny(err.Error(), "\x00\x1b\n") {
			t.Errorf("%.60q: the text shows what it must not: %q", line, err)
		}
		fmt.Fprintln(&all, err)
	}
	golden.Equal(t, "wrong_values.golden", []byte(all.String()))
}

func TestRightValues(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"REDIS_URL=redis://", "REDIS_URL=redis://h", "REDIS_URL=rediss://u:p@h:6380/1", "REDIS_URL=unix:///run/redis.sock", "REDIS_URL=redis-sentinel://h1,h2/main", "REDIS_URL=redis-cluster://h1,h2",
		"LAYER_BASE_URL=http://127.0.0.1:18080", "LAYER_BASE_URL=https://[::1]:443/prefix/", "LAYER_BASE_URL=https://my_host",
		"LAYER_APP_ID=3B6DD97E-0F9B-4B1C-A2BD-0D4F0B1C2A9E", "LAYER_APP_ID=layer:///apps/staging/3b6dd97e-0f9b-4b1c-a2bd-0d4f0b1c2a9e",
		"LAYER_API_VERSION=1.1", "LAYER_TIMEOUT=1ms", "LAYER_TIMEOUT=1m30s", "LAYER_TIMEOUT=0.5s",
		"LAYERQ_QUEUES=bulk=1", "LAYERQ_QUEUES=critical=10000", "LAYERQ_QUEUES=default=1, bulk=2",
		"LAYERQ_RATE_LIMIT=off", "LAYERQ_RATE_LIMIT=auto", "LAYERQ_RATE_LIMIT=1/10ms", "LAYERQ_RATE_LIMIT=1000/1m", "LAYERQ_RATE_LIMIT=1000000/24h",
		"LAYERQ_MAX_ATTEMPTS=1", "LAYERQ_MAX_ATTEMPTS=10000",
		"LAYERQ_RETRY_MIN=10m", "LAYERQ_RETRY_MAX=1s", "LAYERQ_DRAIN_TIMEOUT=100ms", "LAYERQ_RETENTION=1s", "LAYERQ_RETENTION=8760h",
		"LAYERQ_SOURCE_DIRS=/srv/a", "LAYERQ_SOURCE_DIRS=/srv/a, /srv/ab/", "LAYERQ_SOURCE_PRIVATE=true", "LAYERQ_SOURCE_PRIVATE=false",
		"LAYERQ_SOURCE_MAX_SIZE=1B", "LAYERQ_SOURCE_MAX_SIZE=2147483648B", "LAYERQ_SOURCE_MAX_SIZE=512KiB", "LAYERQ_SOURCE_TIMEOUT=1s", "LAYERQ_SOURCE_TIMEOUT=12h",
		"LAYERQ_ADMIN_ADDR=:0", "LAYERQ_ADMIN_ADDR=[::]:8080", "LAYERQ_ADMIN_ADDR=localhost:8080",
		"LAYERQ_ADMIN_TOKEN=~!\"", "LAYERQ_LOG_FORMAT=json", "LAYERQ_LOG_LEVEL=debug",
	} {
		if _, err := worker(t, append(append([]string{}, base...), line)...); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, reserve := range []string{"0%", "99%"} {
		if _, err := worker(t, append(append([]string{}, base...), "LAYERQ_RATE_LIMIT=100/1s", "LAYERQ_CRITICAL_RESERVE="+reserve)...); err != nil {
			t.Errorf("a reserve of %s: %v", reserve, err)
		}
	}
}
