// Package config reads the settings of layerq's programs: flags over
// environment over default.
//
// # Sources
//
// Every setting has a flag and an environment variable. Any variable X may be
// given as X_FILE instead, the name of a file that holds the value, as
// containers mount their secrets; line ends at the end of the file are not part of the
// value. X and X_FILE together are a contradiction, unless the flag is given,
// which goes over both.
//
// # Wrong settings
//
// A wrong value is never replaced by a default. [LoadWorker] and [LoadProducer]
// report all that is wrong at once as [Errors]: each names the
// setting as the user gave it, the value (masked where it is secret) and what is
// allowed. Empty is a value too, and wrong: a shell or a compose file that
// passes on a variable which it does not have must not switch a limit off.
//
// A variable that begins with LAYERQ_ and is none of layerq's is refused, since it
// is most likely a setting that would go unnoticed. Of those that begin
// with LAYER_, which may be somebody else's, only the near misses are refused;
// the others become warnings. What Kubernetes sets for services (such as
// LAYERQ_WORKER_SERVICE_HOST) and the emulator's own variables are left alone.
//
// # The sandbox
//
// A worker for which nothing says where Redis and Layer are runs the sandbox:
// [Worker.Sandbox] is true then, and the settings name the addresses and
// the app that the sandbox serves ([SandboxRedisURL] and so on). Anything
// between nothing and all of REDIS_URL, LAYER_APP_ID and LAYER_TOKEN is refused.
package config
