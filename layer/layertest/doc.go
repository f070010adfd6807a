// Package layertest is the Layer Platform API on one machine: an emulator to
// develop against, and what httptest is to net/http for tests of programs that
// talk to Layer.
//
// # In a test
//
// [NewServer] serves in memory until the test ends. Assertions look at what the
// emulator holds; faults make it misbehave:
//
//	srv := layertest.NewServer(t)
//	conversation := srv.AddConversation("ana", "boris")
//	srv.FailNext(503)                            // it stores the message, then loses the answer
//	send(t, srv.Client(t), conversation)
//	srv.WantMessages(t, conversation, "hello")   // exactly one
//
// # As a service
//
// [New] returns an [Emulator], an [net/http.Handler] to be served on any
// listener, and [Open] one that keeps its state in a directory; the command
// layer-emulator is little more. Beside the API it serves controls under
// /_emulator/, a page for people among them: counts, the requests it got,
// faults, a rate limit, reset. They need no token and answer callers on the
// same machine alone, unless [Config] says otherwise.
//
// # Faults
//
// A [Rule] chooses requests by method and path, by chance and by number, and
// what becomes of them: another status, a delay, a cut connection, no answer,
// half an answer, a slow one. With AfterCommit the request takes effect first.
// In requests and stats, a connection that was cut has status 0.
//
// # How faithful it is
//
// It answers as the live service was recorded and documented in March 2016,
// for the versions 1.0 and 1.1: statuses, headers, member names, nulls, error
// bodies, the order of checks, de-duplication. Where the service changed over
// time, or no source settles what it did, [Switches] choose. The wire is read
// from the documentation alone: nothing here is shared with the client, so the
// two prove each other.
//
// Requests are checked in this order: path, token, app, version, method,
// content type of a patch, dedupe UUID; then the body is decoded and
// validated; and only then is looked up what it is about.
//
// What the service queued is done at once: patches of block lists and of
// suspensions have taken effect when they are answered, unless the switch
// QueuedPatches lets them wait.
package layertest
