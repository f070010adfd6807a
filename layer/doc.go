// Package layer calls the Layer Platform API: the server side of a chat service,
// with which an app sends messages and announcements and keeps conversations,
// users and block lists. It speaks versions 1.0 and 1.1.
//
// The service itself closed in October 2019. The client works against any
// server that is compatible ([WithBaseURL]), and against the emulator in package
// layertest, in memory or over TCP.
//
// # Calling
//
// A [Client] is for one app. It has a service per resource, and one pool of
// connections for all of them; share it.
//
//	api, err := layer.New(app, token)
//	if err != nil {
//		return err
//	}
//	defer api.Close()
//	message, err := api.Messages.SendTextFromName(ctx, conversation, uuid.New(), "Harbour", "tide is in")
//
// Parameters run: who waits (the context), where, which intent (the dedupe
// UUID), what. Methods whose names end in AsUser do what the user could have done,
// and show what the user would see.
//
// # Ids
//
// Every kind of id has a type, so that they cannot be mixed up. They are read
// from bare UUIDs and from URLs such as layer:///messages/UUID of the right kind.
// User ids are whatever text the app has chosen; they are escaped on the way.
//
// # Sending once
//
// Calls that create take a dedupe UUID, which goes along as If-None-Match and
// becomes the id of what is made. Make one per intent, and use it for every
// repetition: Layer then answers with what it made first. Calls without one are
// idempotent, or say that they are not.
//
// # Failures
//
// Requests that Layer would refuse are refused before they are sent, with a
// [*FieldError] for each wrong field. What Layer answers is an [*Error] with its
// [Code]; what kept an answer from arriving is a [*TransportError]. No error
// holds the token or what was sent.
//
//	switch {
//	case errors.Is(err, layer.CodeNotFound): // there is no such conversation
//	case layer.IsTransient(err): // try again later, with the same dedupe UUID
//	}
//
// A call repeats failures that pass within a second by itself, where repeating
// is safe ([WithAttemptRetries]). Longer patience is the caller's: [IsTransient]
// and [RetryAfter] say when it may help.
//
// # Limits and measures
//
// A [Limiter] is asked before every HTTP attempt, and an [Observer] told after it.
package layer
