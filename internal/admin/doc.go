// Package admin serves the worker's admin address: health, metrics, asynqmon
// and a start page.
//
// # Who may see what
//
// /livez, /readyz and /metrics answer everybody: they are asked by machines
// and tell nothing about tasks but numbers. Everything else depends on the
// admin token:
//
//   - Without one, requests from this very host are served, for reading only.
//     A request that came through a proxy, or that names a foreign host (the
//     mark of DNS rebinding), is refused.
//   - With one, a request needs it, as "Authorization: Bearer" or as the
//     cookie that the login form sets, and may then do everything. Without it
//     the answer is 401, wherever it comes from.
//
// No answer carries a CORS header, and a request that changes something is
// refused if another site sent it.
//
// # What is shown of a task
//
// asynqmon shows types, ids, states, times and error texts. Of payloads and
// results it shows the structure: texts, metadata and identities are replaced
// by their length.
//
// # What is archived
//
// asynqmon archives nothing of our queues itself: what it is asked to archive is archived
// here, so that none is dropped, however many they are.
package admin
