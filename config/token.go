package config

import "fmt"

// ReadToken returns the token that a file holds now, such as [Layer.TokenFile]. The
// error names the file, and never repeats what is in it.
func ReadToken(path string) (Secret, error) {
	value, err := readFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	token, err := parseToken(value)
	if err != nil {
		return "", fmt.Errorf("%s: the token %w", path, err)
	}
	return token, nil
}
