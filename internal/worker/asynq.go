package worker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/hibiken/asynq"
)

// asynqLog writes asynq's lines for whoever looks for an error in asynq. What an
// operator needs to know is logged by this package and the dequeue hook, once:
// asynq repeats itself every second while Redis is away.
type asynqLog struct{ log *slog.Logger }

// Debug implements asynq.Logger.
func (l asynqLog) Debug(args ...any) { l.write("debug", args) }

// Info implements asynq.Logger.
func (l asynqLog) Info(args ...any) { l.write("info", args) }

// Warn implements asynq.Logger.
func (l asynqLog) Warn(args ...any) { l.write("warn", args) }

// Error implements asynq.Logger.
func (l asynqLog) Error(args ...any) { l.write("error", args) }

// Fatal implements asynq.Logger.
func (l asynqLog) Fatal(args ...any) { l.write("fatal", args) }

func (l asynqLog) write(severity string, args []any) {
	l.log.Debug("asynq", "severity", severity, "line", fmt.Sprint(args...))
}

// asynqLevel keeps asynq from making lines that nobody sees. It makes one for
// every look at an empty queue.
func asynqLevel(log *slog.Logger) asynq.LogLevel {
	if log.Enabled(context.Background(), slog.LevelDebug) {
		return asynq.InfoLevel
	}
	return asynq.FatalLevel
}
