package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/admin"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/logging"
	"github.com/layerq/layerq/internal/redisurl"
	"github.com/layerq/layerq/internal/sandbox"
	"github.com/layerq/layerq/internal/version"
	"github.com/layerq/layerq/internal/worker"
	"github.com/layerq/layerq/layer"
)

// serve runs the worker and its admin address until ctx ends and the worker has
// drained. It is the only place where everything meets.
func serve(ctx context.Context, cfg *config.Worker, stdout, stderr io.Writer) error {
	log := logging.New(stderr, cfg.Log.Format, cfg.Log.Level)
	console.OnSecondSignal(ctx, func(s os.Signal) {
		log.Warn("second signal, the worker ends at once", "signal", s.String())
	})
	for _, warning := range cfg.Warnings {
		log.Warn("configuration", "warning", warning)
	}
	sources, err := newSources(cfg.Sources)
	if err != nil {
		return err
	}
	var box *sandbox.Sandbox
	if cfg.Sandbox { // first: where one runs already, its ports tell so better than that of the pages
		if box, err = startSandbox(ctx, cfg, log); err != nil {
			return err
		}
		defer box.Close()
	}
	ln, err := admin.Listen(cfg.AdminAddr)
	if err != nil {
		return console.Usage(err)
	}
	defer ln.Close()
	if err := announce(cfg, box, ln, stdout, log); err != nil {
		return err
	}
	metrics := worker.NewMetrics(version.String())
	clients, err := openRedis(cfg)
	if err != nil {
		return err
	}
	defer clients.close(log)
	look, stopLooking, err := lookAtRedis(ctx, cfg, clients.status, log)
	if err != nil {
		return err
	}
	defer stopLooking()
	limit, err := newLimit(cfg, clients.permits, metrics, log)
	if err != nil {
		return err
	}
	defer limit.close()
	hold := newHold(cfg, clients.permits, metrics, log)
	defer hold.close()
	api, err := newAPI(cfg, hold.token, hold.keeper.Limiter(limit.limiter()), metrics)
	if err != nil {
		return err
	}
	defer api.Close()
	pool, err := worker.New(worker.Options{
		Redis: clients.tasks, Status: clients.status, API: api, Holds: hold.keeper, Permits: limit.permits, Sources: sources, Queues: concurrency(cfg),
		MaxAttempts: cfg.MaxAttempts, RetryMin: cfg.RetryMin, RetryMax: cfg.RetryMax,
		Timeout:      executionTimeout(cfg.Layer.Timeout),
		DrainTimeout: cfg.DrainTimeout, Retention: cfg.Retention,
		Metrics: metrics, Log: log,
	})
	if err != nil {
		return err
	}
	pages := admin.New(admin.Options{
		Addr: cfg.AdminAddr, Token: cfg.AdminToken.Reveal(), Version: version.String(), Redis: clients.status,
		Metrics: metrics.Gatherer(), Ready: pool.Ready, Page: newPage(cfg, pool, limit, look).make, Log: log,
	})
	return runBoth(ctx, pool, ln, pages, log)
}

// runBoth runs the worker, and the admin address a little longer: it says that
// the worker drains while it does. Should the admin address fail, the worker
// drains too: nobody could see any more how it is.
func runBoth(ctx context.Context, pool *worker.Worker, ln net.Listener, pages *admin.Admin, log *slog.Logger) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	adminDone := make(chan error, 1)
	log.Info("admin address serves", "addr", ln.Addr().String())
	go func() {
		err := admin.Serve(adminCtx, ln, pages, log)
		stop(err)
		adminDone <- err
	}()
	err := pool.Run(ctx)
	stopAdmin()
	return errors.Join(err, <-adminDone)
}

// announce says what the worker talks to: in the sandbox as a text for people,
// else as a line of the log.
func announce(cfg *config.Worker, box *sandbox.Sandbox, ln net.Listener, stdout io.Writer, log *slog.Logger) error {
	if box != nil {
		return sandbox.Welcome{
			RedisURL: config.SandboxRedisURL, BaseURL: config.SandboxBaseURL, AdminURL: "http://" + ln.Addr().String(),
			App: cfg.Layer.AppID, Token: cfg.Layer.Token.Reveal(), Conversation: box.Conversation,
		}.Write(stdout)
	}
	log.Info("worker starts", "version", version.String(), "redis", redisurl.Addr(cfg.RedisURL.Reveal()),
		"layer", cfg.Layer.BaseURL, "app", cfg.Layer.AppID.String(), "rate_limit", cfg.RateLimit.String())
	return nil
}

func startSandbox(ctx context.Context, cfg *config.Worker, log *slog.Logger) (*sandbox.Sandbox, error) {
	box, err := sandbox.Start(ctx, sandbox.Options{
		RedisAddr: config.SandboxRedisAddr, LayerAddr: config.SandboxLayerAddr,
		App: cfg.Layer.AppID, Token: cfg.Layer.Token.Reveal(), Log: log,
	})
	if _, taken := errors.AsType[*sandbox.PortError](err); taken {
		return nil, console.Usage(err)
	}
	return box, err
}

func newAPI(cfg *config.Worker, token func() string, limiter layer.Limiter, metrics *worker.Metrics) (*layer.Client, error) {
	return layer.New(cfg.Layer.AppID, cfg.Layer.Token.Reveal(),
		layer.WithBaseURL(cfg.Layer.BaseURL),
		layer.WithVersion(cfg.Layer.APIVersion),
		layer.WithTimeout(cfg.Layer.Timeout),
		layer.WithObserver(metrics),
		layer.WithTokenSource(token),
		layer.WithLimiter(worker.Gate(limiter)),
	)
}

// executionTimeout leaves room for each call to be repeated twice, as the client does.
func executionTimeout(attempt time.Duration) time.Duration { return max(5*time.Minute, 4*attempt) }

func concurrency(cfg *config.Worker) map[string]int {
	queues := make(map[string]int, len(cfg.Queues))
	for _, q := range cfg.Queues {
		queues[q.Name] = q.Concurrency
	}
	return queues
}

// redisClients are several, so that nothing waits behind what it has nothing to do
// with: one for the tasks, one for health, metrics and pages, one for permits and holds.
type redisClients struct{ tasks, status, permits redis.UniversalClient }

// spareConnections are for asynq's own goroutines: each task may write its
// result at the same moment as all others, and heartbeats must not wait for that.
const spareConnections = 16

func openRedis(cfg *config.Worker) (*redisClients, error) {
	connections := spareConnections
	for _, q := range cfg.Queues {
		connections += q.Concurrency
	}
	clients := new(redisClients)
	for _, c := range []struct {
		client *redis.UniversalClient
		tune   redisurl.Tune
	}{
		{&clients.tasks, func(o *redis.UniversalOptions) { o.PoolSize = connections }},
		// A page or a probe is asked again soon: no repetitions.
		{&clients.status, func(o *redis.UniversalOptions) { o.MaxRetries = -1 }},
		{&clients.permits, tunePermits},
	} {
		client, err := redisurl.Open(cfg.RedisURL.Reveal(), c.tune)
		if err != nil {
			return nil, errors.Join(err, clients.end())
		}
		*c.client = client
	}
	return clients, nil
}

// end closes those that were opened.
func (c *redisClients) end() error {
	var errs []error
	for _, client := range []redis.UniversalClient{c.tasks, c.status, c.permits} {
		if client != nil {
			errs = append(errs, client.Close())
		}
	}
	return errors.Join(errs...)
}

func (c *redisClients) close(log *slog.Logger) {
	if err := c.end(); err != nil {
		log.Debug("connections not closed", "error", err)
	}
}
