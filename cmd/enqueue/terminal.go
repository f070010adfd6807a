package main

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether a stream is one that a person sits at.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// hint says what happens while nothing happens, to a person alone.
func (p *program) hint(text string) {
	if isTerminal(p.stdin) && isTerminal(p.stderr) {
		fmt.Fprintf(p.stderr, "enqueue: %s\n", text)
	}
}
