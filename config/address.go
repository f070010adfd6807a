package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

// parseBaseURL reads the address of a Layer-compatible server. A path is kept,
// for servers behind a prefix; a slash at the end makes no difference.
func parseBaseURL(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "", errors.New("is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("begins with neither https:// nor http://")
	case u.Opaque != "" || u.Hostname() == "":
		return "", errors.New("names no host")
	case u.User != nil:
		return "", errors.New("has a user or password in it: the token goes into LAYER_TOKEN")
	case u.RawQuery != "" || u.ForceQuery:
		return "", errors.New("has a query")
	case u.Fragment != "" || strings.Contains(s, "#"):
		return "", errors.New("has a fragment")
	case !validHost(u.Hostname()):
		return "", errors.New("names no valid host")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if err := checkPort(port, 1); err != nil {
			return "", err
		}
	}
	return strings.TrimRight(u.String(), "/"), nil
}

const allowedBaseURL = "an http:// or https:// URL without user, query and fragment"

// parseAdminAddr reads an address to listen on.
func parseAdminAddr(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if strings.Contains(s, "://") {
			return "", errors.New("is a URL")
		}
		if _, err := netip.ParseAddr(s); err == nil || !strings.Contains(s, ":") {
			return "", errors.New("has no port")
		}
		return "", errors.New("is no address")
	}
	if host != "" && !validHost(host) {
		return "", errors.New("names no valid host")
	}
	if err := checkPort(port, 0); err != nil {
		return "", err
	}
	return s, nil
}

const allowedAdminAddr = "HOST:PORT, where an empty HOST is every address of the machine and PORT 0 any free port"

func checkPort(s string, least int) error {
	if s == "" {
		return errors.New("has no port")
	}
	if _, err := parseCount(s, least, 65535); err != nil {
		return fmt.Errorf("port %q %w", s, err)
	}
	return nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// validHost takes IP addresses and names, also those with underscores that
// compose files make.
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return len(host) <= 253 && hostName.MatchString(host)
}

// parseAPIVersion takes the versions of the Platform API that layerq speaks.
func parseAPIVersion(s string) (string, error) {
	switch s {
	case "2.0", "3.0":
		return "", errors.New("is out of scope: from 2.0 on Layer takes identities where the tasks of layerq name users by their id")
	case "1", "1.0.0", "v1.0":
		return "", errors.New("is written 1.0")
	}
	return parseChoice(s, "1.0", "1.1")
}

const defaultBaseURL = "https://api.layer.com"

// parseAppID reads the id of an app. The text of layer's own error quotes the
// value, which stands before this one's.
func parseAppID(s string) (layer.AppID, error) {
	id, err := layer.ParseAppID(s)
	switch {
	case err == nil:
		return id, nil
	case strings.HasPrefix(s, "layer:///") && !strings.HasPrefix(s, "layer:///apps/"):
		return id, errors.New("is the id of something else than an app")
	case strings.Contains(s, uuid.Nil.String()):
		return id, errors.New("is the nil UUID, which names no app")
	}
	return id, errors.New("is no app id")
}
