package main

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/logging"
	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/tasks"
)

// answerTimeout is how long Redis may take to answer one question. A Redis that
// is not there is said to be so within 5 s.
const answerTimeout = 4 * time.Second

// connection is a client of the queues, with the configuration it was made of.
type connection struct {
	*tasks.Client
	cfg *config.Producer
	log *slog.Logger
}

// configure reads the configuration, and adds what is wrong with it to the rest.
func (p *program) configure(cmd *cobra.Command, wrong *problems) *config.Producer {
	cfg, err := config.LoadProducer(cmd.Flags(), p.env)
	errs, isWrong := errors.AsType[config.Errors](err)
	for _, e := range errs {
		if !wrong.flags[e.Source] {
			wrong.lines = append(wrong.lines, e.Error())
		}
	}
	if err != nil && !isWrong {
		wrong.lines = append(wrong.lines, err.Error())
	}
	return cfg
}

// connect makes a client. It does not ask Redis yet.
func (p *program) connect(cfg *config.Producer) (*connection, error) {
	log := logging.New(p.stderr, cfg.Log.Format, cfg.Log.Level)
	for _, warning := range cfg.Warnings {
		log.Warn("unknown variable", slog.String("detail", warning))
	}
	client, err := tasks.NewClient(cfg.RedisURL.Reveal(), tasks.WithRetention(cfg.Retention), tasks.WithSharedFiles(cfg.SourceDirs...))
	if err != nil {
		return nil, err
	}
	return &connection{Client: client, cfg: cfg, log: log}, nil
}

// open is what the commands without a task of their own begin with.
func (p *program) open(cmd *cobra.Command, wrong *problems) (*connection, error) {
	wrong.empty(cmd.Flags())
	cfg := p.configure(cmd, wrong)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	return p.connect(cfg)
}

// explain turns what Redis said into what a person can do about it.
func (c *connection) explain(err error) error {
	away, ok := errors.AsType[*tasks.RedisError](err)
	if !ok {
		return err
	}
	text := strings.TrimPrefix(away.Error(), "tasks: ")
	if strings.HasSuffix(text, " does not answer") && strings.HasPrefix(c.cfg.RedisURL.Reveal(), "rediss") {
		text += " (does it speak TLS?)"
	}
	if c.cfg.Sandbox {
		text += "; that is the sandbox's: start it with the command worker, or say with REDIS_URL or --redis-url where Redis is"
	}
	if redischeck.Hopeless(err) {
		return console.Usage(errors.New("REDIS_URL (--redis-url): " + text))
	}
	return errors.New(text)
}
