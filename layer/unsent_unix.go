//go:build linux || darwin

package layer

import (
	"runtime"
	"syscall"
)

// tcpNotSentLowat is TCP_NOTSENT_LOWAT, which package syscall lacks: of
// linux/tcp.h and of Darwin's netinet/tcp.h.
var tcpNotSentLowat = map[string]int{"linux": 0x19, "darwin": 0x201}[runtime.GOOS]

// maxUnsent is what the kernel takes ahead. It does not bound what is under way,
// and so no throughput.
const maxUnsent = 128 << 10

// boundUnsent keeps the kernel from taking megabytes of an upload at once. While a
// slow line carries these, and longest behind the last byte, nothing seems to
// move: that looked like a stall.
func boundUnsent(_, _ string, conn syscall.RawConn) error {
	return conn.Control(func(fd uintptr) {
		// A system that does not know the option has no worse a connection for it.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, maxUnsent)
	})
}
