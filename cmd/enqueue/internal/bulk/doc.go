// Package bulk enqueues a stream of tasks, one JSON object a line, in pipelined
// batches.
//
// Lines that are invalid are reported and left out. A line that names neither a
// key nor an id gets a key from its content, so that enqueueing the same stream
// again enqueues nothing twice, however often and wherever it was interrupted.
// Memory does not grow with the stream, but for about 20 bytes for each line
// without a key or id.
package bulk
