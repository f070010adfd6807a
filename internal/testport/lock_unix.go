//go:build unix

package testport

import (
	"os"
	"syscall"
)

// lockFile fails if another process, or another caller in this one, has the lock.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
