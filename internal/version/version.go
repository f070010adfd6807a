// Package version tells which layerq a program is.
package version

import "runtime/debug"

// stamp is set by the linker where a program is built without the history of
// the repository, as in a container: see Dockerfile.
var stamp string

// String returns the version of the program and of the Go that built it, such as
// "v1.2.0 go1.26.8". A build from a clone has the commit in place of a release,
// as Go records it; what nothing is known of is "(devel)".
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return of(stamp, "", "")
	}
	return of(stamp, info.Main.Version, info.GoVersion)
}

func of(stamp, recorded, goVersion string) string {
	version := "(devel)"
	switch {
	case stamp != "":
		version = stamp
	case recorded != "":
		version = recorded
	}
	if goVersion == "" {
		return version
	}
	return version + " " + goVersion
}
