// Package redischeck says what is wrong with a Redis, in words that name the
// remedy: of a single error ([Explain]), and of a whole server before work begins
// ([Check]).
//
// All texts go on behind the server's address: "Redis at 127.0.0.1:6379 " and
// "refuses the password". They hold no secret.
package redischeck
