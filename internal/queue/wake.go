package queue

import (
	"strconv"
	"strings"
	"time"
)

// A push to a queue wakes the workers that wait for it. A task that is put among
// the scheduled ones does not, and a worker that blocks already would not see it before its
// wait is over. So the time of a task that is due soon is published, and nothing is lost but
// some seconds when it is not heard.
const (
	// WakeChannel is where such times are published, see [EncodeWake].
	WakeChannel = "layerq:wake"
	// WakeWithin is how far ahead they are published; longer than any worker waits.
	WakeWithin = 5 * time.Second
)

// EncodeWake renders that a task of the queue becomes runnable at the given time.
func EncodeWake(queue string, at time.Time) string {
	return queue + " " + strconv.FormatInt(at.UnixMilli(), 10)
}

// DecodeWake reads what [EncodeWake] wrote.
func DecodeWake(news string) (queue string, at time.Time, ok bool) {
	queue, ms, ok := strings.Cut(news, " ")
	n, err := strconv.ParseInt(ms, 10, 64)
	if !ok || err != nil {
		return "", time.Time{}, false
	}
	return queue, time.UnixMilli(n), true
}
