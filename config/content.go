package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/layerq/layerq/layer"
)

// Sources is where the content of message parts may come from, and how much of
// it there may be.
type Sources struct {
	Dirs    []string      // absolute, clean; none by default
	Private bool          // https: sources may lie at private addresses
	MaxSize int64         // of one source, in bytes
	Timeout time.Duration // for the sources of one task
}

// ParseDirs reads LAYERQ_SOURCE_DIRS: absolute paths with commas between them.
// None may be named twice, or lie in another.
func ParseDirs(s string) ([]string, error) {
	var dirs []string
	for item := range strings.SplitSeq(s, ",") {
		dir := strings.TrimSpace(item)
		switch {
		case dir == "":
			return nil, errors.New("has an empty entry")
		case strings.ContainsRune(dir, 0):
			return nil, errors.New("has a NUL in it")
		case !filepath.IsAbs(dir):
			return nil, fmt.Errorf("%q is no absolute path", dir)
		}
		dir = filepath.Clean(dir)
		switch {
		case dir == string(filepath.Separator):
			return nil, errors.New("opens every file of the machine: name the directory that is meant")
		case strings.TrimSpace(dir) != dir:
			return nil, fmt.Errorf("%q ends with a space", dir)
		}
		for _, other := range dirs {
			if isBelow(other, dir) || isBelow(dir, other) {
				return nil, fmt.Errorf("%q and %q overlap", other, dir)
			}
		}
		dirs = append(dirs, dir)
	}
	return slices.Clip(dirs), nil
}

func isBelow(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

const allowedDirs = "absolute paths with commas between them, such as /srv/pictures,/mnt/media"

// sizeUnits are those that ParseSize takes, the largest first.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// ParseSize reads LAYERQ_SOURCE_MAX_SIZE: a whole number of B, KiB, MiB or GiB,
// such as "25MiB", from 1B to the 2GiB that Layer takes.
func ParseSize(s string) (int64, error) {
	for _, unit := range sizeUnits {
		number, found := strings.CutSuffix(s, unit.suffix)
		if !found {
			continue
		}
		if number == "" {
			return 0, errors.New("has no number")
		}
		if strings.HasSuffix(number, "K") || strings.HasSuffix(number, "M") || strings.HasSuffix(number, "G") {
			return 0, fmt.Errorf("has an unknown unit: write %siB", strings.TrimSuffix(s, "B"))
		}
		n, err := parseCount(number, 1, int(layer.MaxContent/unit.bytes))
		return int64(n) * unit.bytes, err
	}
	if strings.Trim(s, "+-.0123456789") == "" {
		return 0, errors.New("has no unit")
	}
	return 0, errors.New("is no size")
}

const allowedSize = "a whole number of B, KiB, MiB or GiB from 1B to 2GiB, such as 25MiB"
