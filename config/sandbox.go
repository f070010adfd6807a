package config

// What the sandbox serves: fixed, so that a second program on the same machine
// finds it without any configuration.
const (
	SandboxRedisAddr = "127.0.0.1:16379"
	SandboxRedisURL  = "redis://" + SandboxRedisAddr
	SandboxLayerAddr = "127.0.0.1:18080"
	SandboxBaseURL   = "http://" + SandboxLayerAddr
	SandboxAppID     = "11111111-1111-4111-8111-111111111111"
	SandboxToken     = "sandbox"
)
