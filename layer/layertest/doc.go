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
// listener; the command layer-emulator is little more. Beside the API it
// serves controls under /_emulator/: counts, the requests it got, faults, a
// rate limit, reset.
//
// # How faithful it is
//
// It answers as the live service was recorded and documented in March 2016,
// for the versions 1.0 and 1.1: statuses, headers, member names, nulls, error
// bodies, the order of checks, de-duplication. Where the service changed over
// time, or no source settles what it did, [Switches] choose. The wire is read
// from the documentation alone: nothing here is shared with the client, so the
// two prove each other.
package layertest
