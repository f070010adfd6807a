package layer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Client calls the Platform API for one app. Make it with [New], share it, and
// [Client.Close] it. It is safe for concurrent use, and so are its services.
type Client struct {
	Conversations *ConversationsService
	Messages      *MessagesService
	Content       *ContentService
	Announcements *AnnouncementsService
	Notifications *NotificationsService
	Blocks        *BlocksService
	Identities    *IdentitiesService
	Badges        *BadgesService
	Users         *UsersService
	Sessions      *SessionsService
	Webhooks      *WebhooksService
	Exports       *ExportsService

	app       AppID
	token     func() string // a function, which no %+v of a client can print
	base      *url.URL      // scheme and host only
	basePath  string        // escaped, without a slash at the end
	version   string
	userAgent string
	timeout   time.Duration
	retries   int
	limiter   Limiter // nil: no limit
	observers []Observer

	api       *http.Client    // follows no redirects: they would take the token along
	storage   *http.Client    // for signed URLs, without the token
	transport *http.Transport // nil with WithHTTPClient
}

// service is what the services share.
type service struct{ client *Client }

// errAttemptTimeout is the cause by which an attempt's own timeout is told from
// the end of the caller's context.
var errAttemptTimeout = errors.New("timeout of one attempt")

// New makes a client for an app with a token of the developer dashboard. It
// makes no request. The error names the option that is wrong.
func New(app AppID, token string, opts ...Option) (*Client, error) {
	c := &Client{app: app, token: func() string { return token }, version: Version10, userAgent: defaultUserAgent, timeout: DefaultTimeout, retries: DefaultAttemptRetries}
	if app.IsZero() {
		return nil, errors.New("layer: app id: is missing")
	}
	if token == "" || !isHeaderValue(token) {
		return nil, errors.New("layer: token: is empty or holds control characters")
	}
	for _, opt := range append([]Option{WithBaseURL(DefaultBaseURL)}, opts...) {
		if err := opt(c); err != nil {
			return nil, fmt.Errorf("layer: %w", err)
		}
	}
	if c.api == nil {
		c.transport = newTransport()
		c.useHTTPClient(&http.Client{Transport: c.transport})
	}
	c.addServices(service{c})
	return c, nil
}

func (c *Client) addServices(s service) {
	c.Conversations = &ConversationsService{s}
	c.Messages = &MessagesService{s}
	c.Content = &ContentService{s}
	c.Announcements = &AnnouncementsService{s}
	c.Notifications = &NotificationsService{s}
	c.Blocks = &BlocksService{s}
	c.Identities = &IdentitiesService{s}
	c.Badges = &BadgesService{s}
	c.Users = &UsersService{s}
	c.Sessions = &SessionsService{s}
	c.Webhooks = &WebhooksService{s}
	c.Exports = &ExportsService{s}
}

func (c *Client) useHTTPClient(hc *http.Client) {
	api, storage := *hc, *hc
	api.Timeout, storage.Timeout = 0, 0 // the attempt's context has it; uploads may take long
	api.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	storage.CheckRedirect = noRedirectedPut
	c.api, c.storage = &api, &storage
}

// App gives the id of the client's app.
func (c *Client) App() AppID { return c.app }

// Version gives the version of the API that the client asks for.
func (c *Client) Version() string { return c.version }

// BaseURL gives where the API is.
func (c *Client) BaseURL() string { return c.base.String() + c.basePath }

// Close ends idle connections. Calls that run go on; later calls connect again.
func (c *Client) Close() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

// observe tells the observers.
func (c *Client) observe(ctx context.Context, attempt Attempt) {
	for _, o := range c.observers {
		o.ObserveAttempt(ctx, attempt)
	}
}
