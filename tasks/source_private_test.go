package tasks

import (
	"net/netip"
	"testing"
)

func TestIsPublic(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"93.184.215.14":        true,
		"2606:2800:21f::1":     true,
		"127.0.0.1":            false,
		"127.8.8.8":            false,
		"10.1.2.3":             false,
		"172.16.0.1":           false,
		"172.32.0.1":           true,
		"192.168.1.1":          false,
		"169.254.169.254":      false, // metadata of clouds
		"100.100.100.200":      false, // the same, elsewhere
		"0.0.0.0":              false,
		"255.255.255.255":      false,
		"224.0.0.1":            false,
		"240.0.0.1":            false,
		"198.18.0.1":           false,
		"::":                   false,
		"::1":                  false,
		"::ffff:10.0.0.1":      false,
		"::ffff:93.184.215.14": true,
		"::127.0.0.1":          false,
		"64:ff9b::7f00:1":      false,
		"2002:7f00:1::":        false,
		"fe80::1%eth0":         false,
		"fc00::1":              false,
		"fd00:ec2::254":        false,
		"ff02::1":              false,
		"fec0::1":              false,
	} {
		if got := isPublic(netip.MustParseAddr(addr)); got != want {
			t.Errorf("isPublic(%s) = %v", addr, got)
		}
	}
}
