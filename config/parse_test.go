package config_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/layer"
)

func FuzzParseQueues(f *testing.F) {
	for _, seed := range []string{"critical=16,default=32,bulk=16", "bulk=1", "default=1, bulk=2", "critical", "=,=", "critical=1,critical=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		queues, err := config.ParseQueues(s)
		if err != nil {
			return
		}
		var items []string
		for i, q := range queues {
			if q.Concurrency < 1 || q.Concurrency > config.MaxConcurrency {
				t.Errorf("%q: concurrency %d", s, q.Concurrency)
			}
			if slices.ContainsFunc(queues[:i], func(other config.Queue) bool { return other.Name == q.Name }) {
				t.Errorf("%q: queue %s twice", s, q.Name)
			}
			items = append(items, q.String())
		}
		again, err := config.ParseQueues(strings.Join(items, ","))
		if diff := cmp.Diff(queues, again); diff != "" || err != nil {
			t.Errorf("%q does not survive (-want +got), %v:\n%s", s, err, diff)
		}
	})
}

func FuzzParseRateLimit(f *testing.F) {
	for _, seed := range []string{"off", "auto", "100/1s", "1000/1m", "1/24h", "100/s", "/", "1/1.5s", "0100/1s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		limit, err := config.ParseRateLimit(s)
		if err != nil {
			return
		}
		if !limit.Off() && !limit.Auto && (limit.Calls < 1 || limit.Per <= 0) {
			t.Errorf("%q became %+v", s, limit)
		}
		if again, err := config.ParseRateLimit(limit.String()); err != nil || again != limit {
			t.Errorf("%q became %s, that %+v, %v", s, limit, again, err)
		}
	})
}

func FuzzParseReserve(f *testing.F) {
	for _, seed := range []string{"10%", "0%", "99%", "100%", "%", "-1%", "1e1%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		share, err := config.ParseReserve(s)
		if err != nil {
			return
		}
		if share < 0 || share > 99 {
			t.Errorf("%q became %d", s, share)
		}
		if again, err := config.ParseReserve(share.String()); err != nil || again != share {
			t.Errorf("%q became %s, that %s, %v", s, share, again, err)
		}
	})
}

func FuzzParseDirs(f *testing.F) {
	for _, seed := range []string{"/srv/a", "/srv/a, /srv/ab/", "/", "/srv,/srv/a", "a", "/..", ",", "/a\x00", "/. /"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		dirs, err := config.ParseDirs(s)
		if err != nil {
			return
		}
		for _, dir := range dirs {
			if !filepath.IsAbs(dir) || dir != filepath.Clean(dir) || dir == "/" {
				t.Errorf("%q: directory %q", s, dir)
			}
		}
		again, err := config.ParseDirs(strings.Join(dirs, ","))
		if diff := cmp.Diff(dirs, again); diff != "" || err != nil {
			t.Errorf("%q does not survive (-want +got), %v:\n%s", s, err, diff)
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"1B", "25MiB", "2GiB", "512KiB", "MiB", "100MB", "-1B", "1e3B", "2147483649B"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		size, err := config.ParseSize(s)
		if err == nil && (size < 1 || size > layer.MaxContent) {
			t.Errorf("%q became %d", s, size)
		}
	})
}
