package layertest

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

var exportRoutes = []route{
	{method: http.MethodPut, path: "/apps/:app/export_security", handle: (*call).putExportSecurity},
	{method: http.MethodGet, path: "/apps/:app/export_security", handle: (*call).getExportSecurity},
	{method: http.MethodPost, path: "/apps/:app/exports", handle: (*call).createExport},
	{method: http.MethodGet, path: "/apps/:app/exports", handle: (*call).listExports},
	{method: http.MethodGet, path: "/apps/:app/exports/:export/status", handle: (*call).getExport},
	{method: http.MethodDelete, path: "/apps/:app/exports/:export", handle: (*call).deleteExport},
	{method: http.MethodPut, path: "/apps/:app/export_schedule", handle: (*call).putExportSchedule},
	{method: http.MethodGet, path: "/apps/:app/export_schedule", handle: (*call).getExportSchedule},
}

const (
	exportInterval = 24 * time.Hour
	exportLifetime = 7 * 24 * time.Hour
)

type exportStatus string

const (
	exportPending   exportStatus = "pending"
	exportExecuting exportStatus = "executing"
	exportCompleted exportStatus = "completed"
)

// export is an archive of everything in the app, encrypted for its owner.
type export struct {
	id          uuid.UUID
	order       uint64
	scheduled   bool
	status      exportStatus
	publicKey   string
	createdAt   time.Time
	startedAt   time.Time
	completedAt time.Time
	key, iv     string // base64, the key under the public key
}

type wireExport struct {
	ID            string       `json:"id"`
	Type          string       `json:"type"`
	Status        exportStatus `json:"status"`
	StatusURL     string       `json:"status_url"`
	PublicKey     string       `json:"public_key"`
	CreatedAt     string       `json:"created_at"`
	StartedAt     *string      `json:"started_at"`
	CompletedAt   *string      `json:"completed_at"`
	ExpiredAt     *string      `json:"expired_at"`
	DownloadURL   *string      `json:"download_url"`
	DownloadUntil *string      `json:"download_url_expires_at"`
	AESKey        *string      `json:"encrypted_aes_key"`
	AESIV         *string      `json:"aes_iv"`
}

func (c *call) export(x *export) wireExport {
	kinds := map[bool]string{false: "historical", true: "scheduled"}
	w := wireExport{
		ID: "layer:///exports/" + x.id.String(), Type: kinds[x.scheduled], Status: x.status,
		StatusURL: c.app.url + "/exports/" + x.id.String() + "/status", PublicKey: x.publicKey, CreatedAt: timestamp(x.createdAt),
	}
	if !x.startedAt.IsZero() {
		w.StartedAt = new(timestamp(x.startedAt))
	}
	if x.status == exportCompleted {
		expires := time.Now().Add(c.e.config.DownloadTTL).Truncate(time.Second)
		w.CompletedAt, w.ExpiredAt = new(timestamp(x.completedAt)), new(timestamp(x.completedAt.Add(exportLifetime)))
		w.DownloadURL, w.DownloadUntil = new(c.downloadURL(x.id, expires)), new(timestamp(expires))
		w.AESKey, w.AESIV = &x.key, &x.iv
	}
	return w
}

// createExport answers POST /apps/A/exports: at most one a day.
//
// Layer docs: platform, data export.
func (c *call) createExport() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		refused := func(message string) (answer, *failure) {
			return answer{}, &failure{kind: invalidOperation, url: docsPlatform, message: message}
		}
		switch last := tx.settings.LastStarted; {
		case tx.settings.ExportKey == "":
			return refused("An export needs a public key: set export_security first.")
		case !last.IsZero() && tx.now.Sub(last) < exportInterval:
			return refused("There was an export less than a day ago.")
		}
		x := tx.beginExport(c.e.newID(), false)
		tx.settings.LastStarted = tx.now
		tx.touch(&tx.settings)
		return jsonAnswer(http.StatusAccepted, c.export(x)), nil
	})
}

// beginExport adds an export and starts the work.
func (tx *tx) beginExport(id uuid.UUID, scheduled bool) *export {
	tx.order++
	x := &export{id: id, order: tx.order, scheduled: scheduled, status: exportPending, publicKey: tx.settings.ExportKey, createdAt: tx.now}
	tx.exports[x.id] = x
	tx.touch(x)
	a := tx.app
	tx.e.start(func() { a.runExport(x) })
	return x
}

// listExports answers GET /apps/A/exports, newest first.
//
// Layer docs: platform, data export.
func (c *call) listExports() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		list := []wireExport{}
		for _, x := range a.exports {
			list = append(list, c.export(x))
		}
		slices.SortFunc(list, func(v, w wireExport) int {
			return cmp.Or(cmp.Compare(w.CreatedAt, v.CreatedAt), cmp.Compare(v.ID, w.ID))
		})
		return jsonAnswer(http.StatusOK, list), nil
	})
}

// getExport answers GET /apps/A/exports/E/status: 202 while it runs.
//
// Layer docs: platform, data export.
func (c *call) getExport() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		x := a.exports[c.id("export")]
		if x == nil {
			return answer{}, unknown("export")
		}
		status := http.StatusAccepted
		if x.status == exportCompleted {
			status = http.StatusOK
		}
		return jsonAnswer(status, c.export(x)), nil
	})
}

// deleteExport answers DELETE /apps/A/exports/E.
//
// Layer docs: platform, data export.
func (c *call) deleteExport() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		x := tx.exports[c.id("export")]
		if x == nil {
			return answer{}, unknown("export")
		}
		delete(tx.exports, x.id)
		tx.e.blobs.remove(x.id)
		tx.touch(removed{kindExport, x.id})
		return noContent(), nil
	})
}
