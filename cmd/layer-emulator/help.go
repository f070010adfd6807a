package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/layerq/layerq/internal/console"
)

const long = `layer-emulator serves the Layer Platform API, versions 1.0 and 1.1: to develop
against, and to see what a program does when the API misbehaves.

Beside the API it serves controls, which need no token and answer callers on
this machine alone unless --control-addr says otherwise:

  GET  /_emulator/                          a page for people
  GET  /_emulator/stats                     what was asked and what is stored
  GET  /_emulator/requests?since=N&limit=M  the requests, one JSON line each
  PUT  /_emulator/faults                    {"rules":[{"match":{"path":"/messages$"},"status":503,"after_commit":true}]}
  PUT  /_emulator/limit                     {"limit":"100/1s"}, 429 above it; {"limit":"off"}
  POST /_emulator/reset                     forget everything

Every flag can be set by an environment variable: LAYER_EMULATOR_ and the flag's
name in capitals, - as _ (LAYER_EMULATOR_LOG_LEVEL). With _FILE behind it, the
variable names a file that holds the value. Flags go over variables.`

const example = `  layer-emulator
  layer-emulator --addr 127.0.0.1:0 --rate 100/1s --latency 20ms
  layer-emulator --app 6c1f0d2e-8a44-4b7e-9d53-2f10a7c9e3b5 --token secret --data ./state
  layer-emulator --addr 127.0.0.1:443 --tls-self-signed --tls-ca-file ca.pem --connect-proxy 127.0.0.1:18443`

// addFlags adds the flags, the switches under a heading of their own.
func addFlags(cmd *cobra.Command, s *settings) {
	cmd.Flags().SortFlags = false
	s.register(cmd.Flags())
	switches := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.registerSwitches(switches)
	console.Group(switches, "Switches, for what the service did at other times or what no source settles:")
	cmd.Flags().AddFlagSet(switches)
}
