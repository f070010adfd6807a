package layer

import "net/http"

// Code is Layer's stable name for an error. It is an error itself, so that
// errors.Is(err, layer.CodeNotFound) asks for one.
//
// Layer docs: Platform API and Client API, errors.
type Code string

// The codes of versions 1.0 and 1.1, with their number and usual status.
const (
	CodeServiceUnavailable     Code = "service_unavailable"     // 1, 503: a back end could not be reached
	CodeInvalidAppID           Code = "invalid_app_id"          // 2, 403
	CodeInvalidRequestID       Code = "invalid_request_id"      // 3, 400: the dedupe UUID is none
	CodeAuthenticationRequired Code = "authentication_required" // 4, 401: token missing or invalid
	CodeAppSuspended           Code = "app_suspended"           // 5, 403
	CodeUserSuspended          Code = "user_suspended"          // 6, 403
	CodeRateLimitExceeded      Code = "rate_limit_exceeded"     // 7, 429
	CodeRequestTimeout         Code = "request_timeout"         // 8, 408
	CodeInvalidOperation       Code = "invalid_operation"       // 9, 422
	CodeInvalidRequest         Code = "invalid_request"         // 10, 400: bad JSON, or no body
	CodeInternalServerError    Code = "internal_server_error"   // 100, 500
	CodeAccessDenied           Code = "access_denied"           // 101, 403: for example a former participant
	CodeNotFound               Code = "not_found"               // 102, 404
	CodeObjectDeleted          Code = "object_deleted"          // 103, 410
	CodeMissingProperty        Code = "missing_property"        // 104, 422
	CodeInvalidProperty        Code = "invalid_property"        // 105, 422
	CodeInvalidEndpoint        Code = "invalid_endpoint"        // 106, 404: no such path
	CodeInvalidHeader          Code = "invalid_header"          // 107, 406: Accept or Content-Type
	CodeConflict               Code = "conflict"                // 108, 409: it exists, and differs
	CodeMethodNotAllowed       Code = "method_not_allowed"      // 109, 405
	CodeParticipantBlocked     Code = "participant_blocked"     // 110, 422
	CodeIDInUse                Code = "id_in_use"               // 111, 409: the dedupe UUID is taken
)

// Error gives the code itself.
func (c Code) Error() string { return string(c) }

// numbers is Layer's table of codes. The number is the stabler of the two: 108
// was called resource_conflict in June 2015.
var numbers = map[Code]int{
	CodeServiceUnavailable: 1, CodeInvalidAppID: 2, CodeInvalidRequestID: 3, CodeAuthenticationRequired: 4,
	CodeAppSuspended: 5, CodeUserSuspended: 6, CodeRateLimitExceeded: 7, CodeRequestTimeout: 8,
	CodeInvalidOperation: 9, CodeInvalidRequest: 10, CodeInternalServerError: 100, CodeAccessDenied: 101,
	CodeNotFound: 102, CodeObjectDeleted: 103, CodeMissingProperty: 104, CodeInvalidProperty: 105,
	CodeInvalidEndpoint: 106, CodeInvalidHeader: 107, CodeConflict: 108, CodeMethodNotAllowed: 109,
	CodeParticipantBlocked: 110, CodeIDInUse: 111,
}

var codesByNumber = func() map[int]Code {
	byNumber := make(map[int]Code, len(numbers))
	for code, number := range numbers {
		byNumber[number] = code
	}
	return byNumber
}()

// codeOfStatus names an answer whose body says nothing, where its status has
// one meaning only. 403, 409 and 422 have several, so they stay without a code.
func codeOfStatus(status int) Code {
	switch status {
	case http.StatusBadRequest:
		return CodeInvalidRequest
	case http.StatusUnauthorized:
		return CodeAuthenticationRequired
	case http.StatusNotFound:
		return CodeNotFound
	case http.StatusMethodNotAllowed:
		return CodeMethodNotAllowed
	case http.StatusNotAcceptable:
		return CodeInvalidHeader
	case http.StatusRequestTimeout:
		return CodeRequestTimeout
	case http.StatusGone:
		return CodeObjectDeleted
	case http.StatusTooManyRequests:
		return CodeRateLimitExceeded
	case http.StatusInternalServerError:
		return CodeInternalServerError
	case http.StatusServiceUnavailable:
		return CodeServiceUnavailable
	default:
		return ""
	}
}

// advice is what a person can do about a code, where that is not in its name.
var advice = map[Code]string{
	CodeInvalidAppID:           "check the app id",
	CodeInvalidRequestID:       "check the dedupe UUID",
	CodeAuthenticationRequired: "check the token: it is missing, wrong or revoked",
	CodeAppSuspended:           "the app must be unsuspended first",
	CodeUserSuspended:          "the user must be unsuspended first",
	CodeRateLimitExceeded:      "slow down",
	CodeInvalidEndpoint:        "check the base URL and the version",
	CodeInvalidHeader:          "the server does not speak the version asked for",
	CodeMethodNotAllowed:       "check the base URL",
	CodeIDInUse:                "the dedupe UUID belongs to something else: use another",
}
