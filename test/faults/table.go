package faults

// What the tables of docs/reliability.md are about is here, without a build tag, so that the page can be held to it
// by a test that runs none of the suite.

// Rows are the faults, in the order of the page.
var Rows = []string{
	"worker: kill -9 every 2 s",
	"worker: kill -9 every 2 s, half of the tasks delayed",
	"worker: kill -9 before the call",
	"worker: kill -9 during the call",
	"worker: kill -9 after the call, before the marker",
	"worker: kill -9 after the marker, before asynq's acknowledgement",
	"worker: SIGSTOP for longer than its lease",
	"worker: SIGSTOP between taking a task and calling",
	"worker: SIGSTOP after the answer, until the lease is over",
	"worker: clock 5 minutes ahead",
	"worker: clock 5 minutes behind",
	"worker: all replaced, twice",
	"worker: all replaced, calls cut off",
	"task: poison among good ones",
	"task: garbage among good ones",
	"Redis: frozen 3 s",
	"Redis: frozen 20 s",
	"Redis: restarted",
	"Redis: kill -9, appendfsync everysec",
	"Redis: kill -9, appendfsync always",
	"Redis: disk full under its file",
	"Redis: frozen 3 s when calls are answered",
	"producer to Redis: cut at random",
	"producer to Redis: replies lost",
	"producer to Redis: 200 ms",
	"producer to Redis: slow close",
	"worker to Redis: cut at random",
	"worker to Redis: replies lost",
	"worker to Redis: 200 ms",
	"worker to Redis: slow close",
	"worker to Layer: cut, answers lost",
	"Layer: 30 % of its answers wrong",
	"Layer: 503 after the work, 30 %",
	"Layer: 503 after the work, deletions",
	"archive: more than 10,000",
	"archive: replayed",
	"producers: two with the same keys",
	"bulk: interrupted and run again ten times",
	"all at once: 5,000 messages, three workers",
}

// RowsHead and NeededHead are the heads of the two tables.
const (
	RowsHead = "| fault | tasks | effects | twice | lost | archived | all done after | bare asynq: effects | twice | lost | archived | all done after |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|\n"
	NeededHead = "| without | fails | with |\n|---|---|---|\n"
)

// Mechanism is something that the promise leans on: without it, the row of a test fails in the way that
// a pattern tells.
type Mechanism struct{ Name, What, Test, Row, Fails string }

// Mechanisms are all of them, in the order of the page.
var Mechanisms = []Mechanism{
	{"dedupe", "the dedupe UUID", "TestLayer_503_after_the_work", "Layer: 503 after the work, 30 %", `has [2-9] effects`},
	{"marker", "the completion marker", "TestStopped_after_the_answer", "worker: SIGSTOP after the answer, until the lease is over", `\d+ calls were made after the task had been answered with success`},
	{"fence", "the fence (a worker whose lease is over makes no call)", "TestStopped_before_the_call", "worker: SIGSTOP between taking a task and calling", `\d+ calls were made after the task had been answered with success`},
	{"patience", "patience with Redis when a task is done", "TestRedis_frozen_restarted_killed", "Redis: restarted", `\d+ calls were made after the task had been answered with success`},
	{"lanes", "lanes", "TestDeploy_twice", "worker: all replaced, twice", `\d+ messages came before an earlier one of their conversation`},
	{"recovery", "recovery of expired leases", "TestKill_at_each_step", "worker: kill -9 before the call", `not settled \S+ after the fault`},
	{"handback", "the hand-back of a worker that ends", "TestDeploy_cut_off", "worker: all replaced, calls cut off", `\d+ tasks are left in the hands of workers that have ended`},
	{"repeats", "reading the answer to a repeated call (404)", "TestLayer_503_after_deletions", "Layer: 503 after the work, deletions", `404 not_found: The referenced identity cannot be found`},
	{"crashes", "crashes that are no attempts", "TestKill_at_each_step", "worker: kill -9 during the call", `\d+ tasks have spent more than one attempt`},
	{"deadletters", "dead letters that are kept", "TestArchive_beyond_10000_and_replayed", "archive: more than 10,000", `not within \S+: the archive has all again`},
	{"poison", "the end of poison", "TestPoison_among_good_ones", "task: poison among good ones", `not settled \S+ after the fault`},
}
