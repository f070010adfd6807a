package layer

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	content := &ContentRef{ID: ContentID(uuid.MustParse(someUUID)), Size: 5000}
	many := make([]string, MaxParticipants+1)
	for i := range many {
		many[i] = fmt.Sprint("u", i)
	}
	send := func(parts ...Part) SendMessageRequest { return SendMessageRequest{Sender: FromName("n"), Parts: parts} }
	for name, c := range map[string]struct {
		value interface{ Validate() error }
		want  []string
	}{
		"a good message":            {send(Text("hello")), nil},
		"a part of 2048 bytes":      {send(Text(strings.Repeat("é", 1024))), nil},
		"2048 bytes in base64":      {send(Part{MIMEType: "image/png", Body: base64.StdEncoding.EncodeToString(make([]byte, 2048)), Encoding: "base64"}), nil},
		"content":                   {send(Part{MIMEType: "image/png", Content: content}), nil},
		"nothing":                   {SendMessageRequest{}, []string{"sender: needs one of user_id and name", "parts: is missing or empty"}},
		"both senders":              {Sender{UserID: "a", Name: "b"}, []string{"has both user_id and name, which exclude one another"}},
		"bad UTF-8":                 {FromUser("\xff"), []string{"user_id: is not valid UTF-8"}},
		"NUL":                       {send(Text("a\x00b")), []string{"parts[0].body: contains a NUL character"}},
		"a part over 2 KB":          {send(Text("ok"), Text(strings.Repeat("x", 3100))), []string{"parts[1].body: is 3100 bytes, Layer takes at most 2048; upload it as rich content"}},
		"base64 over 2 KB":          {send(Part{MIMEType: "a/b", Body: base64.StdEncoding.EncodeToString(make([]byte, 2049)), Encoding: "base64"}), []string{"parts[0].body: is 2049 bytes, Layer takes at most 2048; upload it as rich content"}},
		"no base64":                 {send(Part{MIMEType: "a/b", Body: "%%%", Encoding: "base64"}), []string{"parts[0].body: is not base64 (standard alphabet, padded), as its encoding says"}},
		"base64 of nothing":         {send(Part{MIMEType: "a/b", Body: "\n", Encoding: "base64"}), []string{"parts[0].body: is missing or empty"}},
		"another encoding":          {send(Part{MIMEType: "a/b", Body: "x", Encoding: "gzip"}), []string{`parts[0].encoding: is "gzip", Layer takes only "base64" or none`}},
		"an empty part":             {send(Part{}), []string{"parts[0].mime_type: is missing or empty", "parts[0].body: is missing or empty"}},
		"a part that was read":      {send(Part{ID: "layer:///messages/x/parts/0", MIMEType: "a/b", Body: "x"}), []string{"parts[0].id: is given by Layer and cannot be sent; leave it out"}},
		"body and content":          {send(Part{MIMEType: "a/b", Body: "x", Content: content}), []string{"parts[0].content: stands in place of body and encoding; leave one out"}},
		"content of nothing":        {send(Part{MIMEType: "a/b", Content: &ContentRef{}}), []string{"parts[0].content.id: is missing", "parts[0].content.size: is 0, want at least 1 byte"}},
		"content over 2 GB":         {ContentRef{ID: content.ID, Size: 3 << 30}, []string{"size: is 3221225472 bytes, Layer takes at most 2147483648 (2 GB)"}},
		"no participants":           {CreateConversationRequest{}, []string{"participants: is missing or empty"}},
		"26 participants":           {CreateConversationRequest{Participants: many}, []string{"participants: has 26 entries, Layer takes at most 25"}},
		"an empty participant":      {CreateConversationRequest{Participants: []string{"a", ""}}, []string{"participants[1]: is missing or empty"}},
		"metadata":                  {CreateConversationRequest{Participants: []string{"a"}, Metadata: Metadata{"a_b-1": "x", "o": map[string]any{"p": map[string]string{"q": "r"}}, "m": Metadata{"n": "o"}}}, nil},
		"bad metadata":              {CreateConversationRequest{Participants: []string{"a"}, Metadata: Metadata{"a": 1, "b": map[string]any{"c": true, "d": nil, "": "x"}, "e f": "x", "g": strings.Repeat("x", 2049), "l": []string{"x"}}}, []string{"metadata.a: is a number, Layer takes strings and objects of strings", "metadata.b: has an empty key", "metadata.b.c: is a boolean, Layer takes strings and objects of strings", "metadata.b.d: is null, Layer takes strings and objects of strings", `metadata: has the key "e f"; Layer takes letters, digits, - and _`, "metadata.g: is 2049 bytes, Layer takes at most 2048", "metadata.l: is a list, Layer takes strings and objects of strings"}},
		"an announcement":           {SendAnnouncementRequest{Recipients: many, Sender: FromName("n"), Parts: []Part{Text("x")}}, nil},
		"an announcement by a user": {SendAnnouncementRequest{Recipients: []string{"a"}, Sender: FromUser("u"), Parts: []Part{{MIMEType: "a/b", Content: content}}}, []string{"sender.user_id: is not allowed in an announcement; give a name", "parts[0].content: is not allowed in an announcement; parts hold at most 2048 bytes"}},
		"a large announcement":      {SendAnnouncementRequest{Recipients: many, Sender: FromName("n"), Parts: []Part{Text(strings.Repeat("x", 2049))}}, []string{"parts[0].body: is 2049 bytes, an announcement takes at most 2048"}},
		"an empty announcement":     {SendAnnouncementRequest{}, []string{"recipients: is missing or empty", "sender.name: is missing or empty", "parts: is missing or empty"}},
		"an empty notification":     {Notification{}, nil},
		"a bad notification": {
			SendMessageRequest{Sender: FromName("n"), Parts: []Part{Text("x")}, Notification: &Notification{Title: "\xff", LocArgs: []string{"\x00"}, APNS: &APNS{LaunchImage: "\xff"}, Data: map[string]any{"a": []any{"ok", map[string]any{"b": "\xff"}}}, Recipients: Overrides{{UserID: "a"}, {}, {UserID: "a", Text: "\x00"}}}},
			[]string{"notification.title: is not valid UTF-8", "notification.recipients[1].user_id: is missing or empty", "notification.recipients[2].user_id: names a user that an earlier entry names", "notification.recipients[2].text: contains a NUL character", "notification.loc-args[0]: contains a NUL character", "notification.apns.launch-image: is not valid UTF-8", "notification.data.a[1].b: is not valid UTF-8"},
		},
		"a notification alone":  {SendNotificationRequest{}, []string{"recipients: is missing or empty"}},
		"an identity":           {Identity{DisplayName: strings.Repeat("é", 128), PublicKey: strings.Repeat("k", 5000)}, nil},
		"an identity of nobody": {Identity{}, []string{"display_name: is missing or empty"}},
		"a long identity": {
			Identity{DisplayName: strings.Repeat("é", 129), AvatarURL: strings.Repeat("x", 1025), FirstName: strings.Repeat("x", 129), LastName: "\x00", PhoneNumber: strings.Repeat("1", 33), EmailAddress: strings.Repeat("e", 256), Metadata: map[string]string{"": "x", "k": "\xff"}},
			[]string{"display_name: is 129 characters, Layer takes at most 128", "avatar_url: is 1025 characters, Layer takes at most 1024", "first_name: is 129 characters, Layer takes at most 128", "last_name: contains a NUL character", "phone_number: is 33 characters, Layer takes at most 32", "email_address: is 256 characters, Layer takes at most 255", "metadata: is missing or empty", "metadata.k: is not valid UTF-8"},
		},
		"a schedule":                {Schedule{Delay: 5 * time.Second, TypingIndicator: 5 * time.Second}, nil},
		"a bad schedule":            {Schedule{Delay: 301 * time.Second, TypingIndicator: 400 * time.Second}, []string{"delay_in_seconds: is 301, Layer takes 1 to 300", "typing_indicator_in_seconds: is 400, Layer takes 1 to the delay"}},
		"a webhook":                 {CreateWebhookRequest{TargetURL: "https://a.example/x", Events: []string{EventMessageSent}, Secret: "s"}, nil},
		"a bad webhook":             {CreateWebhookRequest{TargetURL: "http://a.example", Events: []string{""}}, []string{"target_url: is no https:// URL", "events[0]: is missing or empty", "secret: is missing or empty"}},
		"no webhook":                {CreateWebhookRequest{}, []string{"target_url: is missing or empty", "events: is missing or empty", "secret: is missing or empty"}},
		"an upload":                 {UploadRequest{MIMEType: "image/png", Size: 1, Body: strings.NewReader("x")}, nil},
		"a bad upload":              {UploadRequest{MIMEType: "a\r\nb", Origin: "\n"}, []string{"mime_type: contains control characters", "size: is 0, want at least 1 byte", "origin: contains control characters", "body: is missing"}},
		"no key":                    {ExportSecurity{PublicKey: "x"}, []string{"public_key: is no PEM block"}},
		"another key":               {ExportSecurity{PublicKey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}, []string{"public_key: is no RSA public key"}},
		"a bad schedule of exports": {ExportSchedule{Interval: "weekly", Events: []string{""}}, []string{`interval: is "weekly", want daily or disabled`, "events[0]: is missing or empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range FieldErrors(c.value.Validate()) {
				got = append(got, e.Error())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIdentityMetadataLimit(t *testing.T) {
	t.Parallel()
	metadata := map[string]string{}
	for i := range 17 {
		metadata[fmt.Sprint("k", i)] = "v"
	}
	err := Identity{DisplayName: "n", Metadata: metadata}.Validate()
	if err == nil || err.Error() != "metadata: has 17 keys, Layer takes at most 16" {
		t.Error(err)
	}
}

func TestFieldErrorsFindsAll(t *testing.T) {
	t.Parallel()
	a, b := &FieldError{"a", "is bad"}, &FieldError{"b", "is bad"}
	err := fmt.Errorf("outer: %w", errors.Join(a, fmt.Errorf("inner: %w", b), errors.New("other")))
	if diff := cmp.Diff([]*FieldError{a, b}, FieldErrors(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := FieldErrors(nil); got != nil {
		t.Errorf("nil has %v", got)
	}
	if got := (&FieldError{Problem: "is bad"}).Error(); got != "is bad" {
		t.Error(got)
	}
}

func TestPartBytes(t *testing.T) {
	t.Parallel()
	if b, err := (Part{Body: "aGk=", Encoding: EncodingBase64}).Bytes(); err != nil || string(b) != "hi" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := Text("hi").Bytes(); err != nil || string(b) != "hi" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := (Part{Body: "*", Encoding: EncodingBase64}).Bytes(); err == nil {
		t.Error("no error")
	}
}
