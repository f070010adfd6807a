package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/golden"
)

// badInput is a command line that must be refused, with what is on standard
// input.
type badInput struct {
	args  []string
	stdin string
}

// bad puts a command line together: words are separated by single blanks, and
// "_" stands for an empty one.
func bad(line string, more ...string) badInput {
	words := strings.Split(line, " ")
	for i, word := range words {
		if word == "_" {
			words[i] = ""
		}
	}
	return badInput{args: append(words, more...)}
}

func badTask(taskType, args string) badInput {
	return badInput{args: []string{"task", taskType}, stdin: args}
}

// rich is the args of a message with one part.
func rich(part string) string {
	return `{"conversation":"` + conversation + `","sender":{"name":"a"},"parts":[{"mime_type":"image/png",` + part + `}]}`
}

const (
	message = "message --conversation " + conversation + " --from alice"
	block   = "block --owner alice --user mallory"
)

var badInputs = []badInput{
	// Commands and flags.
	bad("mesage"), bad("enqueue"), bad("message extra"), bad("--unknown"), bad("message --form alice"), bad("message -x"), bad("message --from"),
	bad("status"), bad("status abc"), bad("status _"), bad("status " + conversation + " " + conversation), bad("status {" + conversation + "}"),
	bad("queues all"), bad("queues --jsn"), bad("types message:snd"), bad("types nothing:like-it"), bad("types message:send user:block"), bad("types _"),
	bad("queues --json=perhaps"), bad("help nonsense"),
	// Operators.
	bad("archived 5"), bad("archived --queue urgent"), bad("archived --queue _"), bad("archived --type message:snd"), bad("archived --type _"), bad("archived --code", "404 not found"), bad("archived --code _"),
	bad("archived --since _"), bad("archived --since yesterday"), bad("archived --since 5"), bad("archived --since 0s"), bad("archived --since -1h"), bad("archived --since 2099-01-01T00:00:00Z"), bad("archived --since 2026-13-01T00:00:00Z"),
	bad("replay abc"), bad("replay " + conversation + " " + conversation), bad("replay " + conversation + " --queue bulk"), bad("replay --code N0!"), bad("replay --rate _"), bad("replay --rate fast"), bad("replay --rate 5"), bad("replay --rate 0/s"), bad("replay --rate -1/s"),
	bad("replay --rate 5/"), bad("replay --rate 5/0s"), bad("replay --rate 1.5/s"), bad("replay --dry-run=x"), bad("replay --wait"),
	bad("cancel"), bad("cancel abc"), bad("cancel " + conversation + " " + conversation), bad("delete"), bad("delete _"), bad("delete all"),
	bad("pause"), bad("pause urgent"), bad("pause _"), bad("pause bulk default"), bad("resume"), bad("resume Bulk"), bad("resume --all"),
	bad(block + " --lane _"), bad(block + " --lane a --unordered"), bad(block + " --unordered --lane-stop-on-failure"), bad("announcement --to a --name b --text c --lane-stop-on-failure"), bad(block+" --lane", strings.Repeat("x", 257)), bad(block+" --lane", "\xff"),

	// Nothing but the command.
	bad("message"), bad("announcement"), bad("block"), bad("unblock"), bad("identity"), bad("conversation"), bad("task"),

	// Ids of conversations.
	bad("message --from alice --text Hello --conversation _"), bad("message --from alice --text Hello --conversation abc"),
	bad("message --from alice --text Hello --conversation layer:///messages/" + conversation),
	bad("message --from alice --text Hello --conversation 00000000-0000-0000-0000-000000000000"),
	bad("message --from alice --text Hello --conversation layer:///conversations/"),

	// Senders and users.
	bad(message + " --text Hello --name Bot"), bad("message --conversation " + conversation + " --text Hello"), bad("message --conversation " + conversation + " --text Hello --from _"),
	bad(message+" --text Hello --from", "a\x00b"), bad(message+" --text Hello --from", "a\xffb"),
	bad("announcement --name Bot --text Hello --to _"), bad("announcement --name Bot --text Hello --to alice,,bob"), bad("announcement --to alice --text Hello"), bad("announcement --to alice --name _ --text Hello"),
	bad("block --owner alice --user _"), bad("block --owner _ --user _"), bad("unblock --owner alice"), bad("block --owner alice --user", "\xff"),

	// Parts.
	bad(message), bad(message + " --text _"), bad(message + " --text Hello --text _ --text there"), bad(message+" --text", strings.Repeat("x", 2049)), bad(message+" --text", "a\x00b"), bad(message+" --text", "\xc3("),
	bad(message + " --part _"), bad(message + " --part text/plain"), bad(message + " --part mime=,body=x"), bad(message + " --part mime=text/plain"), bad(message + " --part mime=text/plain,body="),
	bad(message + " --part body=x,mime=text/plain"), bad(message + " --part mime=text/plain,text=x"), bad(message + " --part mime=text/plain,encoding=base64,body=%%%"), bad(message + " --part mime=text/plain,encoding=utf8,body=x"),
	bad(message + " --part mime=image/png,url="), bad(message + " --part mime=image/png,url=http://example.com/a.png"), bad(message + " --part mime=image/png,url=file:///etc/passwd"), bad(message + " --part mime=image/png,url=data:;base64,aGk="),
	bad(message + " --part mime=image/png,url=https://"), bad(message + " --part mime=image/png,url=https://user:s3cret@example.com/a.png"), bad(message + " --text Hello --part mime=image/png,url=https:a.png --part mime=image/png,encoding=base64,url=https://example.com/a.png"),
	bad("announcement --to alice --name Bot --part mime=image/png,url=https://example.com/a.png"), bad("announcement --to alice --name Bot --text Hello --part mime=image/png,file=testdata/input/large.txt"),
	bad(message + " --part mime=image/png,file="), bad(message + " --part mime=image/png,file=testdata/input/none.png"),
	bad(message + " --part mime=image/png,file=testdata"), bad(message + " --part mime=image/png,file=testdata/input/empty.txt"),
	bad(message + " --part mime=image/png,encoding=base64,file=testdata/input/hello.txt"), bad(message + " --part mime=a,body=x --part nonsense --part mime=b,url=u"),
	bad(message+" --text Hello --push-title", "\xff"), bad(message + " --text Hello --push-text _"),

	bad(message + " --source-dirs pictures --text Hello"), bad(message + " --source-dirs _ --text Hello"),
	badTask("message:send", rich(`"source":"file:///there/is/none"`)), badTask("message:send", rich(`"source":"ftp://example.com/a.png"`)), badTask("message:send", rich(`"source":"https://example.com/a.png","body":"x"`)),

	// Identities and conversations.
	bad("identity --user alice"), bad("identity --user _ --display-name Alice"), bad("identity --user alice --display-name _"), bad("identity --user alice --display-name", strings.Repeat("x", 1000)),
	bad("identity --user alice --display-name Alice --metadata novalue"), bad("identity --user alice --display-name Alice --metadata =v"), bad("identity --user alice --display-name Alice --metadata a=1 --metadata a=2"),
	bad("identity --user alice --display-name Alice --metadata _"), bad("conversation --participants _"), bad("conversation --participants alice,"), bad("conversation --participants " + strings.Repeat("u,", 25) + "u"),
	bad("conversation --participants alice --metadata", "a b=c"), bad("conversation --participants alice --metadata", "a="+strings.Repeat("x", 3000)), bad("conversation --participants alice --distinct=maybe"),

	// Common flags.
	bad(block + " --key _"), bad(block+" --key", strings.Repeat("k", 1025)), bad(block+" --key", "a\x00b"), bad(block+" --key", "\xff"), bad(block + " --id _"), bad(block + " --id 5"), bad(block + " --id 00000000-0000-0000-0000-000000000000"),
	bad(block + " --key a --id " + conversation), bad(block + " --queue _"), bad(block + " --queue urgent"), bad(block + " --queue Critical"), bad(block + " --in 1h --at 2099-01-01T00:00:00Z"),
	bad(block + " --in _"), bad(block + " --in 5"), bad(block + " --in -1s"), bad(block + " --in soon"), bad(block + " --at 2100-01-01T00:00:00Z"), bad(block + " --at _"), bad(block + " --at tomorrow"), bad(block + " --at 2099-01-01"), bad(block + " --at 2099-02-30T00:00:00Z"), bad(block + " --at 0001-01-01T00:00:00Z"),
	bad(block + " --expires _"), bad(block + " --expires never"), bad(block + " --expires 0s"), bad(block + " --expires -1h"), bad(block + " --expires 2001-01-01T00:00:00Z"), bad(block + " --at 2099-01-02T00:00:00Z --expires 2099-01-01T00:00:00Z"),
	bad(block + " --wait-timeout 5s"), bad(block + " --wait --wait-timeout 5"), bad(block + " --wait --wait-timeout 0s"), bad(block + " --wait --wait-timeout _"), bad(block + " --unordered=x"),

	// Settings.
	bad(block + " --redis-url _"), bad(block + " --redis-url localhost:6379"), bad(block + " --redis-url http://h"), bad(block + " --retention 1ms"), bad(block + " --retention _"), bad("queues --log-level loud"), bad("status " + conversation + " --log-format xml"),

	// Any task, as JSON.
	bad("task _"), bad("task user:block nonsense"), bad("task user:block _"), bad("task user:block @"), bad("task user:block @testdata/input/none.json"), bad("task user:block @testdata"), bad("task user:block {} {}"),
	bad("task message:snd {}"), bad("task message {}"), bad("task message:send_rich {}"),
	badTask("user:block", ``), badTask("user:block", `{}`), badTask("user:block", `{"owner":"alice"}`), badTask("user:block", `{"owner":"alice","user":"m","usr":"x"}`), badTask("user:block", `{"owner":"alice","user":7}`),
	badTask("user:block", `{"owner":"alice","user":"m","user":"n"}`), badTask("user:block", `{"owner":"alice","user":"m"} {}`), badTask("user:block", `["alice"]`), badTask("user:block", `{"owner":"alice","user":"m`),
	badTask("user:block", "{\"owner\":\"alice\",\"user\":\"\xff\"}"), badTask("user:block", `{"owner":"alice","user":"a\u0000b"}`), badTask("user:block", `{"OWNER":"alice","user":"m"}`), badTask("user:block", `null`),
	badTask("conversation:create", `{"participants":[]}`), badTask("conversation:create", `{"participants":["a"],"metadata":{"n":1}}`), badTask("conversation:create", `{"participants":"a"}`),
	badTask("message:send", strings.Repeat("[", 10_000)), badTask("message:send", `{"conversation":"`+conversation+`","sender":{"user_id":"a","name":"b"},"parts":[{"mime_type":"text/plain","body":"x"}]}`),
	badTask("message:send", strings.Repeat(" ", 2<<20)), badTask("announcement:send", `{"recipients":["a"],"sender":{"user_id":"a"},"parts":[{"mime_type":"text/plain","body":"x"}]}`),

	// Files of many.
	bad("bulk testdata/input/none.ndjson"), bad("bulk testdata"), bad("bulk _"), bad("bulk a b"), bad("bulk --key k testdata/input/block.json"), bad("bulk --wait testdata/input/block.json"), bad("bulk --queue urgent -"), bad("bulk --in 1h --at 2099-01-01T00:00:00Z -"), bad("bulk --expires 2001-01-01T00:00:00Z -"),
}

func TestBadInputIsRefusedByName(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	var all strings.Builder
	for _, in := range badInputs {
		got := c.runWith(in.stdin, in.args...)
		shown := fmt.Sprintf("%.200q", in.args)
		if in.stdin != "" {
			shown += fmt.Sprintf(" < %.80q", in.stdin)
		}
		if got.code != console.Wrong || got.stdout != "" {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", shown, got.code, got.stdout, got.stderr)
		}
		if strings.ContainsAny(got.stderr, "\x00\x1b") || strings.Contains(got.stderr, "goroutine") {
			t.Errorf("%s: stderr %q", shown, got.stderr)
		}
		// A new task type is no reason to write this file anew.
		fmt.Fprintf(&all, "$ %s\n%s\n", shown, strings.ReplaceAll(got.stderr, strings.Join(typeNames(), ", "), "ALL TYPES"))
	}
	golden.Equal(t, "bad_input.golden", []byte(all.String()))
	if n := c.keys(); n != 0 {
		t.Errorf("%d keys are left in Redis", n)
	}
}

func TestWrongEnvironmentIsRefusedByName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, env, want string }{
		{"empty", "REDIS_URL=", `REDIS_URL="": is empty`},
		{"no URL", "REDIS_URL=localhost", `REDIS_URL=`},
		{"a file that is not there", "REDIS_URL_FILE=/there/is/none", "REDIS_URL_FILE=/there/is/none: there is no such file"},
		{"a retention that asynq does not know", "LAYERQ_RETENTION=1500ms", `LAYERQ_RETENTION="1500ms": is no multiple of 1s`},
		{"a name that is nearly right", "LAYERQ_RETENTON=1h", "LAYERQ_RETENTON: is no variable of layerq, did you mean LAYERQ_RETENTION?"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := &cli{t: t, env: []string{tc.env}}
			if got := c.want(console.Wrong, strings.Fields(block)...); !strings.Contains(got.stderr, "enqueue: "+tc.want) {
				t.Errorf("stderr %q, want %q", got.stderr, tc.want)
			}
		})
	}
}
