//go:build linux

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.uber.org/goleak"
)

// Programs is a directory with commands of this module.
type Programs string

// Build compiles commands of this module with a build tag, none if it is empty, into a temporary
// directory.
func Build(tag string, commands ...string) (Programs, error) {
	dir, err := os.MkdirTemp("", "layerq")
	if err != nil {
		return "", err
	}
	args := []string{"build", "-tags", tag, "-o", dir + string(filepath.Separator)}
	for _, name := range commands {
		args = append(args, "github.com/layerq/layerq/cmd/"+name)
	}
	p := Programs(dir)
	if err := GoTool(args...); err != nil {
		p.Remove()
		return "", err
	}
	return p, nil
}

// Path is where a command is.
func (p Programs) Path(command string) string { return filepath.Join(string(p), command) }

// Remove deletes the directory.
func (p Programs) Remove() { _ = os.RemoveAll(string(p)) } // of the system's temporary directory

// GoTool runs the go command.
func GoTool(args ...string) error {
	out, err := exec.Command("go", args...).CombinedOutput() //nolint:gosec // the suite's own arguments
	if err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Leaks reports goroutines that outlived all tests.
func Leaks() error {
	// toxiproxy leaves a goroutine behind when a connection ends in the middle of a piece of data.
	return goleak.Find(goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"))
}
