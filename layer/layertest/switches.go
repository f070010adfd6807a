package layertest

// Switches choose, one by one, behaviours that the service showed at another
// time than March 2016, or that no source settles. Each is off by default.
type Switches struct {
	DedupeConflict      bool
	DedupePerKind       bool
	TimeBasedIDs        bool
	ResourceConflict    bool
	RedirectDistinct    bool
	NoDistinctLocation  bool
	EmptyNotFound       bool
	EmptyUnauthorized   bool
	JSONNotFound        bool
	ExplicitNulls       bool
	EchoBase64          bool
	OutsideSender       bool
	DistinctDefault     bool
	NullMetadata        bool
	AnyPatchType        bool
	DeletedIsUnknown    bool
	RepeatedDelete      bool
	StrictPageSize      bool
	LenientPageSize     bool
	StrictSortBy        bool
	IgnoreUnknownFromID bool
	UnknownUsersEmpty   bool
	DocumentedProxy     bool
	IdentityInUse       bool
	PutIdentityCreates  bool
	IdentityIDs         bool
	QueuedPatches       bool
	Everyone            bool
	ForeignApp401       bool
	IgnoreBadDedupe     bool
	RateLimitBody       bool
	BadValue400         bool
	Body2000            bool
	AnyMetadata         bool
	AnyContent          bool
	UnfinishedContent   bool
	AllowEmptyLists     bool
	SuspendedMayRead    bool
	StrictRecipients    bool
	HTTPWebhooks        bool
}

// Switch is one of the [Switches], under the name that a command line gives it.
type Switch struct {
	Name  string
	Usage string
	Value *bool
}

// List returns every switch of s with its name and what turning it on does, for
// programs that offer them as flags.
func (s *Switches) List() []Switch {
	return []Switch{
		{"dedupe-conflict", "a repeated dedupe UUID is answered 409 id_in_use with the resource in data, as by the Client API (default: the first status and the resource)", &s.DedupeConflict},
		{"dedupe-per-kind", "a dedupe UUID that made something makes something of another kind as well (default: 409 id_in_use)", &s.DedupePerKind},
		{"time-based-ids", "ids that the service chooses are time-based UUIDs, as the one known id of content was (default: random ones)", &s.TimeBasedIDs},
		{"resource-conflict", "the id of error 108 is resource_conflict, as in June 2015 (default: conflict)", &s.ResourceConflict},
		{"redirect-distinct", "an existing distinct conversation is answered 303, as before September 2015 (default: 200)", &s.RedirectDistinct},
		{"no-distinct-location", "no Location on the 200 for an existing distinct conversation", &s.NoDistinctLocation},
		{"empty-not-found", "404 and 410 of a conversation have an empty body, as the text of 3.0 has it (default: JSON, as recorded)", &s.EmptyNotFound},
		{"empty-unauthorized", "401 has an empty body (default: authentication_required)", &s.EmptyUnauthorized},
		{"json-not-found", "an unknown endpoint, and an id in a path that is no UUID, is answered 404 invalid_endpoint in JSON (default: plain text, as recorded)", &s.JSONNotFound},
		{"explicit-nulls", "answers to creates have explicit nulls where keys are absent, as from June 2016", &s.ExplicitNulls},
		{"echo-base64", "base64 text comes back as it was sent, as in 2015 (default: decoded where it is UTF-8)", &s.EchoBase64},
		{"outside-sender", "a user who is no participant may be named as sender (default: 422 invalid_property)", &s.OutsideSender},
		{"distinct-default", "a conversation is distinct unless it says otherwise (default: not distinct)", &s.DistinctDefault},
		{"null-metadata", "metadata that was never given reads null (default: {})", &s.NullMetadata},
		{"any-patch-type", "PATCH takes any content type (default: 406 unless application/vnd.layer-patch+json)", &s.AnyPatchType},
		{"deleted-is-unknown", "writing to a deleted conversation is answered 404 (default: 410 object_deleted)", &s.DeletedIsUnknown},
		{"repeated-delete", "deleting a message again, or an unknown conversation, is answered 204 (default: 404)", &s.RepeatedDelete},
		{"strict-page-size", "page_size above 100 is answered 422 (default: taken as 100)", &s.StrictPageSize},
		{"lenient-page-size", "page_size below 1 is taken as 100 (default: 422)", &s.LenientPageSize},
		{"strict-sort-by", "sort_by on other lists than those of conversations is answered 422 (default: ignored)", &s.StrictSortBy},
		{"ignore-unknown-from-id", "an unknown from_id gives an empty list (default: 404)", &s.IgnoreUnknownFromID},
		{"unknown-users-empty", "reading as a user never seen before gives empty lists, as before June 2016 (default: 404)", &s.UnknownUsersEmpty},
		{"documented-proxy", "on behalf of a user only conversations and messages can be read, as documented for 1.0 (default: receipts, deletes and announcements, too)", &s.DocumentedProxy},
		{"identity-in-use", "creating an identity that exists is answered 409 id_in_use (default: conflict)", &s.IdentityInUse},
		{"put-identity-creates", "PUT creates an identity that does not exist (default: 404)", &s.PutIdentityCreates},
		{"identity-ids", "identities read with id, user_id and url, as by version 2.0 and as a client of July 2016 expects of 1.0 (default: without)", &s.IdentityIDs},
		{"queued-patches", "patches of block lists and suspensions take effect --patch-delay after their 202, in order (default: at once)", &s.QueuedPatches},
		{"everyone", "announcements take recipients \"everyone\", as before December 2015 (default: 422)", &s.Everyone},
		{"foreign-app-401", "the path of another app is answered 401 (default: 403 invalid_app_id)", &s.ForeignApp401},
		{"ignore-bad-dedupe", "an If-None-Match that is no UUID is ignored (default: 400 invalid_request_id)", &s.IgnoreBadDedupe},
		{"rate-limit-body", "429 has the body rate_limit_exceeded, as the error table has it (default: empty)", &s.RateLimitBody},
		{"bad-value-400", "a part that is too long or no base64, metadata of a wrong type, too many participants and an announcement from a user are answered 400 invalid_request (default: 422 invalid_property)", &s.BadValue400},
		{"body-2000", "a message part, and a value of metadata, takes 2,000 bytes (default: 2,048)", &s.Body2000},
		{"any-metadata", "metadata of conversations takes any key, and strings of any length (default: 422 unless letters, digits, - and _, and 2 KB)", &s.AnyMetadata},
		{"any-content", "content may be sent in another conversation than it was uploaded for (default: 422)", &s.AnyContent},
		{"unfinished-content", "content may be sent and refreshed before it was uploaded (default: 422 and 404)", &s.UnfinishedContent},
		{"allow-empty-lists", "participants and parts may be empty lists (default: 422)", &s.AllowEmptyLists},
		{"suspended-may-read", "requests on behalf of a suspended user are served (default: 403 user_suspended)", &s.SuspendedMayRead},
		{"strict-recipients", "notification.recipients must have the form of the version asked for: object in 1.0, array in 1.1 (default: both are taken)", &s.StrictRecipients},
		{"http-webhooks", "webhooks take target URLs without TLS (default: 422 unless https)", &s.HTTPWebhooks},
	}
}
