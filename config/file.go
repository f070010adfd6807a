package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/layerq/layerq/internal/wording"
)

// maxFile is more than any setting needs, and little to read by mistake.
const maxFile = 64 << 10

// readFile returns the value that a file holds, without the line ends that
// editors and echo leave behind it. The error completes "LAYER_TOKEN_FILE=path: ".
func readFile(path string) (string, error) {
	if path == "" {
		return "", errors.New("is empty")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", errors.New(problem(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", errors.New(problem(err))
	}
	if len(content) > maxFile {
		return "", fmt.Errorf("the file is larger than %d bytes", maxFile)
	}
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", errors.New("the file is empty")
	}
	return value, nil
}

// problem tells a file that cannot be read from one that is not there.
func problem(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return wording.FileProblem(err)
	}
	return "the file cannot be read: " + wording.FileProblem(err)
}
