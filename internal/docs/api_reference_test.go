package docs_test

// endpoint is one of the Platform API at versions 1.0 and 1.1.
type endpoint struct {
	operation string   // METHOD path
	tasks     []string // types that make the call; more may
	noTask    string   // why a write may have none
}

// subject is a chapter of Layer's documentation with its endpoints.
type subject struct {
	name      string
	endpoints []endpoint
}

// Why a call is made directly, and not as a task.
const (
	ownAct = "a user's own act"
	setUp  = "set up once"
	answer = "its answer is needed"
	urgent = "must not wait"
)

// reference is the API as Layer documented it: what must be there, in the
// order of the page. The code may have nothing that is not listed here.
var reference = []subject{
	{"Conversations", []endpoint{
		{operation: "POST /apps/:app/conversations", tasks: []string{"conversation:create"}},
		{operation: "GET /apps/:app/conversations/:conversation"},
		{operation: "GET /apps/:app/users/:user/conversations/:conversation"},
		{operation: "GET /apps/:app/users/:user/conversations"},
		{operation: "PATCH /apps/:app/conversations/:conversation", tasks: []string{"conversation:update"}},
		{operation: "DELETE /apps/:app/conversations/:conversation", tasks: []string{"conversation:delete"}},
		{operation: "DELETE /apps/:app/users/:user/conversations/:conversation", noTask: ownAct},
	}},
	{"Messages", []endpoint{
		{operation: "POST /apps/:app/conversations/:conversation/messages", tasks: []string{"message:send"}},
		{operation: "GET /apps/:app/conversations/:conversation/messages"},
		{operation: "GET /apps/:app/conversations/:conversation/messages/:message"},
		{operation: "GET /apps/:app/users/:user/conversations/:conversation/messages"},
		{operation: "GET /apps/:app/users/:user/messages/:message"},
		{operation: "DELETE /apps/:app/conversations/:conversation/messages/:message", tasks: []string{"message:delete"}},
		{operation: "DELETE /apps/:app/users/:user/messages/:message", noTask: ownAct},
		{operation: "POST /apps/:app/users/:user/messages/:message/receipts", noTask: ownAct},
	}},
	{"Rich content", []endpoint{
		{operation: "POST /apps/:app/conversations/:conversation/content", tasks: []string{"message:send"}},
		{operation: "GET /apps/:app/conversations/:conversation/content/:content"},
	}},
	{"Announcements", []endpoint{
		{operation: "POST /apps/:app/announcements", tasks: []string{"announcement:send"}},
		{operation: "GET /apps/:app/users/:user/announcements"},
		{operation: "GET /apps/:app/users/:user/announcements/:announcement"},
		{operation: "DELETE /apps/:app/users/:user/announcements/:announcement", noTask: ownAct},
		{operation: "POST /apps/:app/users/:user/announcements/:announcement/receipts", noTask: ownAct},
	}},
	{"Push notifications", []endpoint{
		{operation: "POST /apps/:app/notifications", tasks: []string{"notification:send"}},
	}},
	{"Identities", []endpoint{
		{operation: "POST /apps/:app/users/:user/identity", tasks: []string{"identity:upsert"}},
		{operation: "GET /apps/:app/users/:user/identity"},
		{operation: "PATCH /apps/:app/users/:user/identity", tasks: []string{"identity:update"}},
		{operation: "PUT /apps/:app/users/:user/identity", tasks: []string{"identity:upsert"}},
		{operation: "DELETE /apps/:app/users/:user/identity", tasks: []string{"identity:delete"}},
	}},
	{"Users", []endpoint{
		{operation: "GET /apps/:app/users/:user"},
		{operation: "PATCH /apps/:app/users/:user", tasks: []string{"blocklist:update", "user:suspend", "user:unsuspend"}},
		{operation: "GET /apps/:app/users/:user/blocks"},
		{operation: "POST /apps/:app/users/:user/blocks", tasks: []string{"user:block"}},
		{operation: "DELETE /apps/:app/users/:user/blocks/:blocked", tasks: []string{"user:unblock"}},
		{operation: "GET /apps/:app/users/:user/badge"},
		{operation: "PUT /apps/:app/users/:user/badge", tasks: []string{"badge:set"}},
		{operation: "DELETE /apps/:app/users/:user/sessions", noTask: urgent},
		{operation: "PATCH /apps/:app", noTask: setUp},
	}},
	{"Webhooks", []endpoint{
		{operation: "POST /apps/:app/webhooks", noTask: setUp},
		{operation: "GET /apps/:app/webhooks"},
		{operation: "GET /apps/:app/webhooks/:webhook"},
		{operation: "POST /apps/:app/webhooks/:webhook/activate", noTask: setUp},
		{operation: "POST /apps/:app/webhooks/:webhook/deactivate", noTask: setUp},
		{operation: "DELETE /apps/:app/webhooks/:webhook", noTask: setUp},
	}},
	{"Data export", []endpoint{
		{operation: "PUT /apps/:app/export_security", noTask: setUp},
		{operation: "GET /apps/:app/export_security"},
		{operation: "POST /apps/:app/exports", noTask: answer},
		{operation: "GET /apps/:app/exports"},
		{operation: "GET /apps/:app/exports/:export/status"},
		{operation: "DELETE /apps/:app/exports/:export", noTask: answer},
		{operation: "PUT /apps/:app/export_schedule", noTask: setUp},
		{operation: "GET /apps/:app/export_schedule"},
	}},
}
