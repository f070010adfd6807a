package layertest

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// kind is one row of the service's error table.
//
// Layer docs: client/rest, errors.
type kind struct {
	id     string
	code   int
	status int
}

var (
	serviceUnavailable     = kind{"service_unavailable", 1, http.StatusServiceUnavailable}
	invalidAppID           = kind{"invalid_app_id", 2, http.StatusForbidden}
	invalidRequestID       = kind{"invalid_request_id", 3, http.StatusBadRequest}
	authenticationRequired = kind{"authentication_required", 4, http.StatusUnauthorized}
	appSuspended           = kind{"app_suspended", 5, http.StatusForbidden}
	userSuspended          = kind{"user_suspended", 6, http.StatusForbidden}
	rateLimitExceeded      = kind{"rate_limit_exceeded", 7, http.StatusTooManyRequests}
	requestTimeout         = kind{"request_timeout", 8, http.StatusRequestTimeout}
	invalidOperation       = kind{"invalid_operation", 9, http.StatusUnprocessableEntity}
	invalidRequest         = kind{"invalid_request", 10, http.StatusBadRequest}
	internalServerError    = kind{"internal_server_error", 100, http.StatusInternalServerError}
	accessDenied           = kind{"access_denied", 101, http.StatusForbidden}
	notFound               = kind{"not_found", 102, http.StatusNotFound}
	objectDeleted          = kind{"object_deleted", 103, http.StatusGone}
	missingProperty        = kind{"missing_property", 104, http.StatusUnprocessableEntity}
	invalidProperty        = kind{"invalid_property", 105, http.StatusUnprocessableEntity}
	invalidEndpoint        = kind{"invalid_endpoint", 106, http.StatusNotFound}
	invalidHeader          = kind{"invalid_header", 107, http.StatusNotAcceptable}
	conflict               = kind{"conflict", 108, http.StatusConflict}
	methodNotAllowed       = kind{"method_not_allowed", 109, http.StatusMethodNotAllowed}
	participantBlocked     = kind{"participant_blocked", 110, http.StatusUnprocessableEntity}
	idInUse                = kind{"id_in_use", 111, http.StatusConflict}
)

// kinds is the table in the order in which a fault finds an error for a bare
// status: the first row of a status is its usual meaning.
var kinds = []kind{
	serviceUnavailable, accessDenied, invalidRequest, authenticationRequired, appSuspended, userSuspended,
	rateLimitExceeded, requestTimeout, invalidProperty, invalidOperation, invalidAppID, invalidRequestID,
	internalServerError, notFound, objectDeleted, missingProperty, invalidEndpoint, invalidHeader, conflict,
	methodNotAllowed, participantBlocked, idInUse,
}

// Where an error sends its reader.
const (
	docsPlatform = "https://developer.layer.com/docs/platform"
	docsOverview = "https://developer.layer.com/docs/platform#overview"
	docsNotFound = "https://developer.layer.com/docs/client/rest#not_found"
	docsWebhooks = "https://developer.layer.com/docs/webhooks"
	docsDistinct = "https://developer.layer.com/api.md#creating-a-conversation"
)

// failure is an answer other than success. Its body is JSON, unless plain or
// empty says otherwise.
type failure struct {
	kind
	message string
	url     string
	data    any
	allow   string // methods, on 405
	plain   bool   // text, as the front end answers what it cannot route
	empty   bool   // no body

	unsettled bool // what the status was, no source says
}

// The members stand in the order of the recordings: other tools diff text.
type (
	failureBody struct {
		ID      string `json:"id"`
		Code    int    `json:"code"`
		Message string `json:"message"`
		URL     string `json:"url"`
		Data    any    `json:"data,omitempty"`
	}
	validationBody struct {
		URL     string `json:"url"`
		Data    any    `json:"data,omitempty"`
		Code    int    `json:"code"`
		ID      string `json:"id"`
		Message string `json:"message"`
	}
	clientBody struct {
		Code    int    `json:"code"`
		ID      string `json:"id"`
		Message string `json:"message"`
		URL     string `json:"url"`
		Data    any    `json:"data,omitempty"`
	}
)

func (f *failure) answer() answer {
	switch {
	case f.plain:
		return answer{status: f.status, body: []byte("The requested resource could not be found."), contentType: typeText}
	case f.empty:
		return answer{status: f.status}
	}
	var v any
	switch {
	case f.url == docsWebhooks: // another service, with an order of its own
		v = failureBody{f.id, f.code, f.message, f.url, f.data}
	case f.kind == missingProperty || f.kind == invalidProperty:
		v = validationBody{f.url, f.data, f.code, f.id, f.message}
	case f.url == docsNotFound:
		v = clientBody{f.code, f.id, f.message, f.url, f.data}
	default:
		v = failureBody{f.id, f.code, f.message, f.url, f.data}
	}
	a := jsonAnswer(f.status, v)
	a.allow = f.allow
	return a
}

// unroutable is what the front end says of a path that it knows nothing about,
// an id that is no UUID included.
func unroutable() *failure { return &failure{kind: notFound, plain: true} }

func missing(property string) *failure {
	return &failure{
		kind: missingProperty, url: docsPlatform, data: map[string]string{"property": property},
		message: "Object is missing required member '" + property + "'",
	}
}

func invalid(property, problem string) *failure {
	return &failure{
		kind: invalidProperty, url: docsPlatform, data: map[string]string{"property": property},
		message: "The value of property '" + property + "' is invalid: " + problem,
	}
}

// rejected is invalid where no source settles the status.
func rejected(property, problem string) *failure {
	f := invalid(property, problem)
	f.unsettled = true
	return f
}

func badRequest(message string) *failure {
	return &failure{kind: invalidRequest, url: docsPlatform, message: message}
}

// gone and unknown are how the system perspective speaks of a conversation;
// absent is how the Client API does, and every read of a message.
func gone(what string) *failure {
	return &failure{kind: objectDeleted, url: docsPlatform, message: "The referenced " + what + " has been deleted."}
}

func unknown(what string) *failure {
	return &failure{kind: notFound, url: docsPlatform, message: "The referenced " + what + " cannot be found."}
}

func absent(what string) *failure {
	article := "A "
	if what[0] == 'A' || what[0] == 'I' {
		article = "An "
	}
	return &failure{kind: notFound, url: docsNotFound, message: article + what + " with the specified identifier could not be found."}
}

func marshal(v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		// Everything marshalled is made of the emulator's own types, and
		// nested no deeper than maxNesting.
		panic("layertest: " + err.Error())
	}
	return b
}
