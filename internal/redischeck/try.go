package redischeck

import (
	"context"
	_ "embed"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

//go:embed check.lua
var checkLua string

var checkScript = redis.NewScript(checkLua)

// A user may be given some keys and channels of ours and not others, so each of them is tried.
var (
	// families are what the keys of scripts begin with. Those of one family are in one slot of a Cluster.
	families = []string{
		queue.Prefix(queue.Critical), queue.Prefix(queue.Default), queue.Prefix(queue.Bulk),
		"layerq:{" + queue.Critical + "}:", "layerq:{" + queue.Default + "}:", "layerq:{" + queue.Bulk + "}:",
		"layerq:{hold}", "layerq:{permits}:",
	}
	// published are the channels for news. Whoever listens there ignores an empty message.
	published = []string{queue.WakeChannel, "layerq:hold"}
	// heard are those that a worker listens to.
	heard = append([]string{"asynq:cancel"}, published...)
)

// nobody is a name that nothing else uses.
const nobody = "layerq-check"

// try is one command that was tried.
type try struct {
	command      string
	key, channel string // what it was tried on, as a pattern; empty for nothing
	err          error
	refusals     []string // of commands that a script tried, see check.lua
}

// tryAll tries what workers do.
func tryAll(ctx context.Context, rdb redis.UniversalClient) []try {
	pipe := rdb.Pipeline() // a start takes few round trips, however far Redis is
	var tries []try
	var answers []redis.Cmder
	add := func(command, key, channel string, answer redis.Cmder) {
		tries, answers = append(tries, try{command: command, key: key, channel: channel}), append(answers, answer)
	}
	add("PING", "", "", pipe.Ping(ctx))
	for _, family := range families {
		add("EVAL", family+"*", "", pipe.Eval(ctx, checkLua, scratch(family)))
	}
	add("EVALSHA", families[0]+"*", "", pipe.EvalSha(ctx, checkScript.Hash(), scratch(families[0])))
	add("SREM", queue.AllQueuesKey, "", pipe.SRem(ctx, queue.AllQueuesKey, nobody))
	for _, key := range []string{"asynq:servers", "asynq:workers"} {
		add("ZREM", key, "", pipe.ZRem(ctx, key, nobody))
	}
	for _, channel := range published {
		add("PUBLISH", "", channel, pipe.Publish(ctx, channel, ""))
	}
	_, err := pipe.Exec(ctx)
	for i, answer := range answers {
		tries[i].err = answer.Err()
		if script, ok := answer.(*redis.Cmd); ok && answer.Err() == nil {
			tries[i].refusals, tries[i].err = script.StringSlice()
		}
		if redis.HasErrorPrefix(tries[i].err, "NOSCRIPT") { // EVAL was refused
			tries[i].err = nil
		}
	}
	if _, refused := errors.AsType[redis.Error](err); err != nil && !refused {
		return append(tries, try{err: err}) // Redis is gone meanwhile
	}
	list := scratch(queue.Prefix(queue.Default))[1]
	tries = append(tries, try{command: "BLMOVE", key: queue.Prefix(queue.Default) + "*", err: block(ctx, rdb, list)})
	return append(tries, subscribe(ctx, rdb, heard)...)
}

// scratch are keys of a family that nothing else uses.
func scratch(family string) []string {
	own := family + nobody + ":"
	return []string{own + "hash", own + "list", own + "zset", own + "set", own + "string"}
}

// block waits on a list for what will not come. No script may do so.
func block(ctx context.Context, rdb redis.UniversalClient, list string) error {
	err := rdb.Do(ctx, "BLMOVE", list, list, "RIGHT", "LEFT", "0.001").Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

// subscribe tries one channel after the other, on one connection.
func subscribe(ctx context.Context, rdb redis.UniversalClient, channels []string) []try {
	sub := rdb.Subscribe(ctx)
	var tries []try
	for _, channel := range channels {
		err := sub.Subscribe(ctx, channel)
		if err == nil {
			_, err = sub.Receive(ctx)
		}
		tries = append(tries, try{command: "SUBSCRIBE", channel: channel, err: err})
	}
	return append(tries, try{err: sub.Close()})
}

// isForbidden recognises what Redis says of what its user may not do: by itself, and in a script.
func isForbidden(said string) bool {
	return strings.Contains(said, "NOPERM") || strings.Contains(said, "The user executing the script can't") || strings.Contains(said, "No permissions")
}

// refused names what the user lacks: the command, or the keys or the channel as ACL SETUSER takes them.
func (t try) refused(said string) string {
	switch command := strings.Contains(said, " run "); {
	case !command && t.key != "" && strings.Contains(said, "key"):
		return "~" + t.key
	case !command && t.channel != "" && strings.Contains(said, "channel"):
		return "&" + t.channel
	}
	return t.command
}
