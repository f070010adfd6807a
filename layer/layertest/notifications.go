package layertest

import (
	"net/http"
	"strconv"
	"time"
)

var notificationRoutes = []route{
	{method: http.MethodPost, path: "/apps/:app/notifications", handle: (*call).sendNotification},
}

// maxPushes is how many notifications are remembered: nobody can read them
// over the API.
const maxPushes = 1000

// push is a notification that was sent without a message.
type push struct {
	at         time.Time
	recipients []string
	text       string // or the title, where there is no text
}

// sendNotification answers POST /apps/A/notifications: a push and no message.
//
// Layer docs: platform, push notifications.
func (c *call) sendNotification() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	if !body.has("recipients") {
		return answer{}, missing("recipients")
	}
	recipients, f := userIDs(body["recipients"], "recipients")
	switch {
	case f != nil:
		return answer{}, f
	case len(recipients) == 0:
		return answer{}, invalid("recipients", "it must not be empty")
	case !body.has("notification"):
		return answer{}, missing("notification")
	}
	if f = c.checkNotification(body["notification"]); f != nil {
		return answer{}, f
	}
	n, _ := body["notification"].(map[string]any) // checked
	text, ok := n["text"].(string)
	if !ok {
		text, _ = n["title"].(string)
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if len(tx.pushes) >= maxPushes {
			tx.pushes = append([]push(nil), tx.pushes[1:]...)
		}
		tx.pushes = append(tx.pushes, push{tx.now, recipients, text})
		return accepted(), nil
	})
}

// checkNotification validates a push notification. It is not kept: the service
// hands it to the phones and never returns it.
//
// Layer docs: platform, push notifications.
func (c *call) checkNotification(v any) *failure {
	if v == nil {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return invalid("notification", "it must be an object")
	}
	if f := checkPushTexts(m, "notification"); f != nil {
		return f
	}
	strict := c.e.config.Switches.StrictRecipients
	switch recipients := m["recipients"].(type) {
	case nil:
		return nil
	case map[string]any: // the form of 1.0: by user id
		if strict && c.version != "1.0" {
			return invalid("notification.recipients", "it must be an array")
		}
		for id, v := range recipients {
			o, ok := v.(map[string]any)
			if !ok {
				return invalid("notification.recipients."+id, "it must be an object")
			}
			if f := checkPushTexts(o, "notification.recipients."+id); f != nil {
				return f
			}
		}
		return nil
	case []any: // the form of 1.1
		if strict && c.version == "1.0" {
			return invalid("notification.recipients", "it must be an object")
		}
		return checkPushRecipients(recipients)
	default:
		return invalid("notification.recipients", "it must be an object or an array")
	}
}

func checkPushRecipients(list []any) *failure {
	for i, v := range list {
		property := "notification.recipients[" + strconv.Itoa(i) + "]"
		m, ok := v.(map[string]any)
		if !ok {
			return invalid(property, "it must be an object")
		}
		o := object(m)
		if !o.has("user_id") {
			return missing(property + ".user_id")
		}
		if id, f := o.text("user_id", property+".user_id"); f != nil || id == "" {
			return invalid(property+".user_id", "it must be a string that is not empty")
		}
		if f := checkPushTexts(o, property); f != nil {
			return f
		}
	}
	return nil
}

// checkPushTexts checks the types of the members that have one.
func checkPushTexts(o object, property string) *failure {
	for _, key := range []string{"title", "text", "sound", "category", "title-loc-key", "loc-key", "action-loc-key"} {
		if _, f := o.text(key, property+"."+key); f != nil {
			return f
		}
	}
	for _, key := range []string{"title-loc-args", "loc-args"} {
		list, ok := o[key].([]any)
		if o.has(key) && !ok {
			return invalid(property+"."+key, "it must be an array of strings")
		}
		for _, v := range list {
			if _, ok := v.(string); !ok {
				return invalid(property+"."+key, "it must be an array of strings")
			}
		}
	}
	for _, key := range []string{"data", "apns"} {
		if _, ok := o[key].(map[string]any); o.has(key) && !ok {
			return invalid(property+"."+key, "it must be an object")
		}
	}
	return nil
}
