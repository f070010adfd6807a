package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/layerq/layerq/config"
)

func TestSecretsDoNotShowThemselves(t *testing.T) {
	t.Parallel()
	cfg, err := worker(t, "REDIS_URL=redis://me:hunter2@h/0", "LAYER_TOKEN=hunter2", "LAYERQ_ADMIN_TOKEN=hunter2",
		"LAYER_APP_ID=11111111-1111-4111-8111-111111111111")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v\n%+v\n%#v\n%s\n%q\n%x\n", *cfg, *cfg, *cfg, cfg.Layer.Token, cfg.RedisURL, cfg.AdminToken)
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", slog.Any("redis", cfg.RedisURL), slog.Any("secret", cfg.Layer.Token))
	if err := json.NewEncoder(&out).Encode(cfg); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Settings.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Settings.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
	for _, revealed := range []string{cfg.RedisURL.Reveal(), cfg.Layer.Token.Reveal(), cfg.AdminToken.Reveal()} {
		if !strings.Contains(revealed, "hunter2") {
			t.Errorf("Reveal gives %q", revealed)
		}
	}
}

func TestRedisURLMasksPasswords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, url, want string }{
		{"nothing to hide", "redis://h:6379/2?db=2", "redis://h:6379/2?db=2"},
		{"user and password", "redis://me:pw@h:6379/2", "redis://me:****@h:6379/2"},
		{"password alone", "redis://:pw@h", "redis://:****@h"},
		{"user alone", "redis://me@h", "redis://me@h"},
		{"an @ in the password", "redis://me:p@w@h", "redis://me:****@h"},
		{"a slash in the password", "redis://me:p/w@h/1", "redis://me:****@h/1"},
		{"several hosts", "redis-sentinel://:pw@h1:1,h2:2/main", "redis-sentinel://:****@h1:1,h2:2/main"},
		{"an address of version 6", "redis://me:pw@[::1]:6379", "redis://me:****@[::1]:6379"},
		{"a socket", "unix://me:pw@/run/redis.sock?db=1", "unix://me:****@/run/redis.sock?db=1"},
		{"passwords among the options", "redis://h?sentinel_password=pw&db=1&Pass%77ord=pw", "redis://h?sentinel_password=****&db=1&Pass%77ord=****"},
		{"the host was forgotten", "redis://:pw", "redis://****"},
		{"user and password without a host", "redis://me:pw", "redis://****"},
		{"no scheme", "me:pw@h:6379", "me:****@h:6379"},
		{"no scheme and no user", "pw@h:6379", "****@h:6379"},
		{"an address alone", "localhost:6379", "localhost:6379"},
		{"a password alone", "hunter2", "****"},
		{"a broken option", "redis://h?%zzpw=1", "redis://h?****"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := config.RedisURL(tc.url).String(); got != tc.want {
				t.Errorf("%s is shown as %s, want %s", tc.url, got, tc.want)
			}
		})
	}
}

// outside is without what would move the password.
var outside = strings.NewReplacer("@", "", ":", "")

func FuzzRedisURLMasksPasswords(f *testing.F) {
	f.Add("redis", "me", "h:6379/0")
	f.Add("", "", "h")
	f.Add("redis-cluster", "a/b", "h1,h2?db=1")
	f.Fuzz(func(t *testing.T, scheme, user, rest string) {
		const password = "hunter2!"
		// Elsewhere the password would not be where one stands.
		scheme, user, rest = outside.Replace(scheme), outside.Replace(user), strings.ReplaceAll(rest, "@", "")
		if shown := config.RedisURL(scheme + "://" + user + ":" + password + "@" + rest).String(); strings.Contains(shown, password) {
			t.Errorf("%q is shown as %q", user+":"+password+"@"+rest, shown)
		}
	})
}
