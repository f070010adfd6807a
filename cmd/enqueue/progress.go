package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a bar on a terminal, and nothing where standard error is piped.
type progress struct {
	bar     *progressbar.ProgressBar
	what    string
	started time.Time
}

// progress begins a bar over size bytes, -1 for a stream without a known end.
func (p *program) progress(what string, size int64) *progress {
	b := &progress{what: what, started: time.Now()}
	if isTerminal(p.stderr) {
		b.bar = progressbar.NewOptions64(size,
			progressbar.OptionSetWriter(p.stderr),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(true),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(20),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	return b
}

// countingBar begins a bar over a number of tasks.
func (p *program) countingBar(what string, tasks int) *progress {
	b := &progress{what: what, started: time.Now()}
	if isTerminal(p.stderr) {
		b.bar = progressbar.NewOptions(tasks,
			progressbar.OptionSetWriter(p.stderr),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("tasks"),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(20),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	return b
}

// count says how many tasks are done.
func (b *progress) count(tasks int) {
	if b.bar != nil {
		_ = b.bar.Set(tasks)
	}
}

// update says how far the stream is: the bar goes by its bytes, since nobody
// knows how many lines there are; the tasks and their rate stand before it.
func (b *progress) update(bytes int64, lines int) {
	if b.bar == nil {
		return
	}
	rate := float64(lines) / max(time.Since(b.started).Seconds(), 1e-3)
	b.bar.Describe(fmt.Sprintf("%s %d tasks, %.0f/s", b.what, lines, rate))
	_ = b.bar.Set64(bytes)
}

// clear makes room for a line of text.
func (b *progress) clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}

func (b *progress) done() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}
