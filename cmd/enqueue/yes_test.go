package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// yes starts a Redis that takes every task and keeps none, and returns its
// address: what it answers a million times would take a real one a gigabyte.
func yes(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				// It ends with the connection, however that ends.
				_ = answer(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return listener.Addr().String()
}

func answer(conn io.ReadWriter) error {
	r, w := bufio.NewReader(conn), bufio.NewWriter(conn)
	for {
		name, err := command(r)
		if err != nil {
			return err
		}
		reply := ":0" // of the script that enqueues: it was not there before
		switch name {
		case "HELLO":
			reply = "-ERR unknown command"
		case "PING":
			reply = "+PONG"
		case "CLIENT", "SELECT":
			reply = "+OK"
		}
		fmt.Fprintf(w, "%s\r\n", reply)
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// command reads a command and returns its name.
func command(r *bufio.Reader) (string, error) {
	words, err := length(r, '*')
	if err != nil {
		return "", err
	}
	name := ""
	for i := range words {
		size, err := length(r, '$')
		if err != nil {
			return "", err
		}
		if i == 0 {
			word := make([]byte, size)
			if _, err := io.ReadFull(r, word); err != nil {
				return "", err
			}
			name, size = strings.ToUpper(string(word)), 0
		}
		if _, err := r.Discard(size + len("\r\n")); err != nil {
			return "", err
		}
	}
	return name, nil
}

func length(r *bufio.Reader, kind byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("%q begins with no %c", line, kind)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}
