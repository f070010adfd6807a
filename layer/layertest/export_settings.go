package layertest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
)

// exportSchedule says whether there is an export every day, and of what.
type exportSchedule struct {
	Interval string    `json:"interval"`
	Events   []string  `json:"events"`
	Next     time.Time `json:"next,omitzero"`
}

type wireSchedule struct {
	Interval     string   `json:"interval"`
	Events       []string `json:"events"`
	LastExportAt *string  `json:"last_export_at"`
	LastExportID *string  `json:"last_export_id"`
	NextExportAt *string  `json:"next_export_at"`
}

// putExportSchedule answers PUT /apps/A/export_schedule.
//
// Layer docs: platform, data export.
func (c *call) putExportSchedule() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	if !body.has("interval") {
		return answer{}, missing("interval")
	}
	s := &exportSchedule{Events: []string{}}
	switch body["interval"] {
	case "daily", "disabled":
		s.Interval, _ = body["interval"].(string)
	default:
		return answer{}, invalid("interval", "it must be daily or disabled")
	}
	if body.has("events") {
		if s.Events, f = userIDs(body["events"], "events"); f != nil {
			return answer{}, invalid("events", "it must be an array of strings")
		}
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if s.Interval == "daily" {
			s.Next = tx.now.Add(exportInterval)
		}
		tx.settings.Schedule = s
		tx.touch(&tx.settings)
		tx.planExport()
		return jsonAnswer(http.StatusOK, c.exportSchedule(tx.app)), nil
	})
}

// getExportSchedule answers GET /apps/A/export_schedule.
//
// Layer docs: platform, data export.
func (c *call) getExportSchedule() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		return jsonAnswer(http.StatusOK, c.exportSchedule(a)), nil
	})
}

func (c *call) exportSchedule(a *app) wireSchedule {
	w := wireSchedule{Interval: "disabled", Events: []string{}}
	if s := a.settings.Schedule; s != nil {
		w.Interval, w.Events = s.Interval, s.Events
		if !s.Next.IsZero() {
			w.NextExportAt = new(timestamp(s.Next))
		}
	}
	if x := a.exports[a.settings.LastExport]; x != nil && a.settings.LastExport != uuid.Nil {
		w.LastExportAt, w.LastExportID = new(timestamp(x.completedAt)), new("layer:///exports/"+x.id.String())
	}
	return w
}

// planExport waits for the time of the next scheduled export. The caller holds
// the app's lock.
func (a *app) planExport() {
	s := a.settings.Schedule
	if s == nil || s.Next.IsZero() {
		return
	}
	if a.exportTimer != nil {
		a.exportTimer.Stop()
	}
	a.exportTimer = a.e.after(time.Until(s.Next), func() {
		_, _ = a.update(func(tx *tx) (answer, *failure) { // update logs what could not be kept
			if tx.settings.Schedule != s {
				return answer{}, nil // there is another schedule by now
			}
			s.Next = tx.now.Add(exportInterval)
			if tx.settings.ExportKey != "" {
				tx.beginExport(a.e.newID(), true)
			}
			tx.touch(&tx.settings)
			tx.planExport()
			return answer{}, nil
		})
	})
}

type wireSecurity struct {
	PublicKey string `json:"public_key"`
}

// putExportSecurity answers PUT /apps/A/export_security.
//
// Layer docs: platform, data export.
func (c *call) putExportSecurity() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	if !body.has("public_key") {
		return answer{}, missing("public_key")
	}
	pem, f := body.text("public_key", "public_key")
	if f != nil {
		return answer{}, f
	}
	if _, err := parsePublicKey(pem); err != nil {
		return answer{}, invalid("public_key", err.Error())
	}
	return c.write(func(tx *tx) (answer, *failure) {
		tx.settings.ExportKey = pem
		tx.touch(&tx.settings)
		return jsonAnswer(http.StatusOK, wireSecurity{pem}), nil
	})
}

// getExportSecurity answers GET /apps/A/export_security.
//
// Layer docs: platform, data export.
func (c *call) getExportSecurity() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		if a.settings.ExportKey == "" {
			return answer{}, unknown("public key")
		}
		return jsonAnswer(http.StatusOK, wireSecurity{a.settings.ExportKey}), nil
	})
}
