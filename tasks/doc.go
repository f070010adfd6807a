// Package tasks is what an application imports to have things done at Layer
// without waiting for it: typed tasks, checked at once, enqueued in Redis, and
// executed by layerq's workers.
//
// # Enqueue
//
// A task is a plain value. [Client.Enqueue] validates it, gives it a dedupe
// UUID and stores it, in one round trip:
//
//	client, err := tasks.NewClient("redis://localhost:6379")
//	...
//	info, err := client.Enqueue(ctx, tasks.SendMessage{
//		Conversation: conversation,
//		Sender:       layer.FromUser("ana"),
//		Parts:        []tasks.Part{tasks.Text("tide is in")},
//	})
//
// From then on it is executed, or it ends in the archive with a reason. What
// is wrong is refused here, by field: an [*InvalidError] names each one by its
// path in the task's JSON, such as parts[0].body, or by the option.
//
// # Rich content
//
// A part of a message has a body of at most 2 KB, or a source:
//
//	tasks.Part{MIMEType: "image/png", Source: "https://cdn.example/a.png"}
//
// The worker fetches and uploads it, streaming, and sends the message with it.
// It fetches https: URLs of public addresses within the limits of its [Sources].
// A file: URL of at most 128 KiB is read when it is enqueued; for larger ones
// see [WithSharedFiles]. Do not pass on file: URLs that come from your users.
//
// # Once
//
// The dedupe UUID is the task's identity on its whole way: its ID in the queue
// and the If-None-Match of every attempt at Layer. [Key] derives it from what
// the task means to the application, so that enqueueing it again, after a
// crash or from another process, finds the same task:
//
//	client.Enqueue(ctx, task, tasks.Key("order-1234-shipped"))
//
// That is a success with [Info.Duplicate] set, in whatever state the first one
// is, until its retention is over. The same UUID with other content is a
// [*ConflictError]. Producers in other languages derive the same UUIDs, see
// [KeyID].
//
// # Many
//
// [Client.EnqueueMany] takes a list, in few round trips, and has an answer for
// each task. Those that are wrong do not stop the others.
//
// # When and where
//
// [Queue] chooses "critical", "default" or "bulk"; [In] and [At] delay a task;
// [Expires] ends its use.
//
// # What became of it
//
// [Client.Status] tells the state, the attempts that Layer answered, the last
// error and the result; [Client.Wait] does so once the task is finished;
// [Client.Queues] tells how much waits where. An [Info] marshals to the JSON
// that the command enqueue prints.
//
// # The tasks
//
// Each is a struct in a file of its own, such as [SendMessage],
// [CreateConversation] or [UpsertIdentity]; [Types] lists them all with a JSON
// Schema of their args. A task may be performed again after a crash: the doc
// comment of each says what its repetition does.
//
// A new type is one file here, one line in register.go and one golden payload
// under testdata/payload.
//
// # On the wire
//
// A task is an asynq task: its type, and the payload {"v":1,"args":{...}} in
// UTF-8 JSON of at most 256 KiB. [New] makes a task of a type's name and args
// as they stand in a bulk file, [Decode] of a payload; both are strict. Fields
// are only ever added. A worker archives what it does not know, so upgrade
// workers before producers.
//
// # Tests
//
// Package taskstest records what an application enqueues, and runs it against
// an emulated Layer.
package tasks
