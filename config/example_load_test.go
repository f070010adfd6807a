package config_test

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/layerq/layerq/config"
)

// Flags go over the environment, and the environment over the defaults.
func ExampleLoadWorker() {
	flags := pflag.NewFlagSet("worker", pflag.ContinueOnError)
	config.WorkerFlags(flags)
	if err := flags.Parse([]string{"--queues", "critical=4,bulk=2"}); err != nil {
		fmt.Println(err)
		return
	}
	cfg, err := config.LoadWorker(flags, []string{
		"REDIS_URL=rediss://worker:s3cret@redis.internal:6380/0",
		"LAYER_APP_ID=layer:///apps/production/3b6dd97e-0f9b-4b1c-a2bd-0d4f0b1c2a9e",
		"LAYER_TOKEN_FILE=testdata/secrets/token",
		"LAYERQ_RATE_LIMIT=100/1s",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("redis:", cfg.RedisURL)
	fmt.Println("token:", cfg.Layer.Token, "from", cfg.Layer.TokenFile)
	fmt.Println("queues:", cfg.Queues)
	fmt.Println("limit:", cfg.RateLimit, "of which critical keeps", cfg.CriticalReserve)
	// Output:
	// redis: rediss://worker:****@redis.internal:6380/0
	// token: **** from testdata/secrets/token
	// queues: [critical=4 bulk=2]
	// limit: 100/1s of which critical keeps 10%
}

// All that is wrong is said at once, each in the words of who set it.
func ExampleLoadWorker_wrong() {
	flags := pflag.NewFlagSet("worker", pflag.ContinueOnError)
	config.WorkerFlags(flags)
	if err := flags.Parse([]string{"--retry-min=20m"}); err != nil {
		fmt.Println(err)
		return
	}
	_, err := config.LoadWorker(flags, []string{"LAYER_TIMEOUT=10", "LAYERQ_QUEUE=bulk=1"})
	fmt.Println(err)
	// Output:
	// LAYER_TIMEOUT="10": has no unit; allowed: a Go duration from 1ms to 10m, such as 10s
	// LAYERQ_QUEUE: is no variable of layerq, did you mean LAYERQ_QUEUES?
	// --retry-min="20m": is more than the longest backoff, LAYERQ_RETRY_MAX=10m (default); allowed: a Go duration from 1ms to 24h, such as 1s, at most the longest backoff
}

// A producer needs Redis alone; without one it talks to the sandbox.
func ExampleLoadProducer() {
	flags := pflag.NewFlagSet("enqueue", pflag.ContinueOnError)
	config.ProducerFlags(flags)
	cfg, err := config.LoadProducer(flags, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cfg.Sandbox, cfg.RedisURL)
	if err := cfg.Settings.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// true redis://127.0.0.1:16379
	// redis-url    redis://127.0.0.1:16379  sandbox
	// retention    24h                      default
	// source-dirs  -                        default
	// log-format   text                     default
	// log-level    info                     default
}

func ExampleParseRateLimit() {
	for _, s := range []string{"1000/1m", "auto", "off", "100/s"} {
		limit, err := config.ParseRateLimit(s)
		fmt.Println(limit.Calls, limit.Per, limit.Auto, err)
	}
	// Output:
	// 1000 1m0s false <nil>
	// 0 0s true <nil>
	// 0 0s false <nil>
	// 0 0s false the duration "s" has no number: write 100/1s
}

func ExampleParseQueues() {
	queues, err := config.ParseQueues("critical=16,bulk=4")
	fmt.Println(queues[0].Name, queues[0].Concurrency, len(queues), err)
	_, err = config.ParseQueues("critical=16,bluk=4")
	fmt.Println(err)
	// Output:
	// critical 16 2 <nil>
	// names an unknown queue "bluk", did you mean bulk?
}

func ExampleParseReserve() {
	share, err := config.ParseReserve("25%")
	fmt.Println(int(share), share, err)
	// Output: 25 25% <nil>
}

// A secret shows itself only to who asks for it.
func ExampleSecret() {
	token := config.Secret("s3cret")
	fmt.Println(token, len(token.Reveal()))
	// Output: **** 6
}

func ExampleSettings_WriteJSON() {
	settings := config.Settings{{Name: "layer-token", Variable: "LAYER_TOKEN", Value: "****", From: "file", File: "/run/secrets/token"}}
	if err := settings.WriteJSON(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [
	//   {
	//     "setting": "layer-token",
	//     "variable": "LAYER_TOKEN",
	//     "value": "****",
	//     "from": "file",
	//     "file": "/run/secrets/token"
	//   }
	// ]
}
