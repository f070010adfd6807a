package layer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Notification is the push notification that goes along with a message, an
// announcement, or alone. All of it is optional; users for whom neither text nor
// sound is given get a silent push. Badge numbers are set with [BadgesService].
//
// The keys after Recipients came with version 1.1 of the API; servers at 1.0
// may ignore them.
//
// Layer docs: Platform API, push notifications.
type Notification struct {
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"`
	Sound string `json:"sound,omitempty"`
	// Recipients overrides title, text and sound for single users.
	Recipients Overrides `json:"recipients,omitempty"`

	Category     string         `json:"category,omitempty"`
	TitleLocKey  string         `json:"title-loc-key,omitempty"`
	TitleLocArgs []string       `json:"title-loc-args,omitempty"`
	LocKey       string         `json:"loc-key,omitempty"`
	LocArgs      []string       `json:"loc-args,omitempty"`
	ActionLocKey string         `json:"action-loc-key,omitempty"`
	Data         map[string]any `json:"data,omitempty"`
	APNS         *APNS          `json:"apns,omitempty"`
}

// APNS is what only Apple's push service takes.
type APNS struct {
	LaunchImage string `json:"launch-image,omitempty"`
}

// Override is what one user gets in place of a notification's title, text and
// sound. What it leaves out comes from the notification.
type Override struct {
	UserID string `json:"user_id"`
	Title  string `json:"title,omitempty"`
	Text   string `json:"text,omitempty"`
	Sound  string `json:"sound,omitempty"`
}

// Overrides is a list with one entry per user. Its JSON is the list of version
// 1.1; it is read from that and from the object by user id of version 1.0.
type Overrides []Override

// UnmarshalJSON takes both shapes, and refuses unknown keys in either.
func (o *Overrides) UnmarshalJSON(data []byte) error {
	switch trimmed := bytes.TrimLeft(data, " \t\r\n"); {
	case bytes.Equal(trimmed, []byte("null")):
		return nil
	case bytes.HasPrefix(trimmed, []byte("{")):
		return o.fromObject(data)
	default:
		var list []Override
		if err := strictly(data, &list); err != nil {
			return &FieldError{Field: "recipients", Problem: "is neither a list of objects with user_id nor an object by user id"}
		}
		*o = list
		return nil
	}
}

func (o *Overrides) fromObject(data []byte) error {
	var byUser map[string]struct {
		Title string `json:"title"`
		Text  string `json:"text"`
		Sound string `json:"sound"`
	}
	if err := strictly(data, &byUser); err != nil {
		return &FieldError{Field: "recipients", Problem: "is no object of title, text and sound by user id"}
	}
	*o = make(Overrides, 0, len(byUser))
	for _, user := range slices.Sorted(maps.Keys(byUser)) {
		v := byUser[user]
		*o = append(*o, Override{UserID: user, Title: v.Title, Text: v.Text, Sound: v.Sound})
	}
	return nil
}

func strictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// Validate checks texts for UTF-8 and NUL, and that every override names a user
// of its own.
func (n Notification) Validate() error {
	var p problems
	p.text("title", n.Title)
	p.text("text", n.Text)
	p.text("sound", n.Sound)
	seen := map[string]bool{}
	for i, o := range n.Recipients {
		field := fmt.Sprintf("recipients[%d]", i)
		if p.required(field+".user_id", o.UserID) && seen[o.UserID] {
			p.add(field+".user_id", "names a user that an earlier entry names")
		}
		seen[o.UserID] = true
		p.text(field+".title", o.Title)
		p.text(field+".text", o.Text)
		p.text(field+".sound", o.Sound)
	}
	n.validateAdvanced(&p)
	return p.err()
}

func (n Notification) validateAdvanced(p *problems) {
	p.text("category", n.Category)
	p.text("title-loc-key", n.TitleLocKey)
	p.text("loc-key", n.LocKey)
	p.text("action-loc-key", n.ActionLocKey)
	for i, arg := range n.TitleLocArgs {
		p.text(fmt.Sprintf("title-loc-args[%d]", i), arg)
	}
	for i, arg := range n.LocArgs {
		p.text(fmt.Sprintf("loc-args[%d]", i), arg)
	}
	if n.APNS != nil {
		p.text("apns.launch-image", n.APNS.LaunchImage)
	}
	p.anyText("data", n.Data)
}

// anyText looks for bad text in the depth of a free-form value.
func (p *problems) anyText(field string, value any) {
	switch v := value.(type) {
	case string:
		p.text(field, v)
	case []any:
		for i, item := range v {
			p.anyText(fmt.Sprintf("%s[%d]", field, i), item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if p.text(field, key) {
				p.anyText(joinField(field, key), v[key])
			}
		}
	}
}

// wireNotification is a notification as one version of the API spells it.
type wireNotification struct {
	Notification
	version string
}

// MarshalJSON writes the overrides as an object by user id for version 1.0, and
// as a list from 1.1 on.
func (w wireNotification) MarshalJSON() ([]byte, error) {
	if w.version != Version10 || len(w.Recipients) == 0 {
		return json.Marshal(w.Notification)
	}
	type plain Notification // without the overrides' own JSON
	byUser := make(map[string]map[string]string, len(w.Recipients))
	for _, o := range w.Recipients {
		byUser[o.UserID] = o.wire10()
	}
	return json.Marshal(struct {
		plain
		Recipients map[string]map[string]string `json:"recipients"`
	}{plain(w.Notification), byUser})
}

func (o Override) wire10() map[string]string {
	wire := map[string]string{}
	for key, value := range map[string]string{"title": o.Title, "text": o.Text, "sound": o.Sound} {
		if value != "" {
			wire[key] = value
		}
	}
	return wire
}

// forVersion prepares an optional notification for sending.
func (n *Notification) forVersion(version string) *wireNotification {
	if n == nil {
		return nil
	}
	return &wireNotification{Notification: *n, version: version}
}
