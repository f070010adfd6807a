package layer

import (
	"context"
	"net/http"
	"time"
)

// ExportsService makes archives of an app's data, encrypted with the app's key.
type ExportsService struct{ service }

// Export is a data export as Layer tells it. The archive is a tar.gz under
// AES-256-CBC; the AES key is encrypted with the RSA key of the app.
type Export struct {
	ID ExportID `json:"id"`
	// Type is historical (asked for) or scheduled.
	Type string `json:"type"`
	// Status is pending, executing or completed.
	Status    string `json:"status"`
	StatusURL string `json:"status_url"`
	// PublicKey is the RSA key, as PEM, that the AES key is encrypted with.
	PublicKey   string    `json:"public_key"`
	CreatedAt   time.Time `json:"created_at"`
	StartedAt   time.Time `json:"started_at"`
	CompletedAt time.Time `json:"completed_at"`
	ExpiredAt   time.Time `json:"expired_at"`
	// DownloadURL is signed and expires; it is there once Status is completed.
	DownloadURL          string    `json:"download_url"`
	DownloadURLExpiresAt time.Time `json:"download_url_expires_at"`
	EncryptedAESKey      string    `json:"encrypted_aes_key"`
	AESIV                string    `json:"aes_iv"`
}

func (e *Export) accept() error {
	if e.ID.IsZero() {
		return errNoID
	}
	for _, at := range []*time.Time{&e.CreatedAt, &e.StartedAt, &e.CompletedAt, &e.ExpiredAt, &e.DownloadURLExpiresAt} {
		*at = at.UTC()
	}
	return nil
}

// wireExport is an [Export] on its way in: one of Layer's samples spells the
// expiry differently.
type wireExport struct {
	Export
	DownloadURLExpiration time.Time `json:"download_url_expiration"`
}

func (e *wireExport) accept() error {
	if e.DownloadURLExpiresAt.IsZero() {
		e.DownloadURLExpiresAt = e.DownloadURLExpiration
	}
	return e.Export.accept()
}

// Create asks for an export of all the app's data, at most once a day. Layer
// makes the id itself, so a failed attempt is not repeated.
//
// Layer docs: Platform API, data export, requesting an export.
//
//layer:operation POST /apps/:app/exports
func (s *ExportsService) Create(ctx context.Context) (*Export, error) {
	return s.one(ctx, &call{operation: "exports.create", method: http.MethodPost, path: s.client.path("exports")})
}

// Get returns the state of an export. Fails with [CodeNotFound] if there is none.
//
// Layer docs: Platform API, data export, export status.
//
//layer:operation GET /apps/:app/exports/:export/status
func (s *ExportsService) Get(ctx context.Context, id ExportID) (*Export, error) {
	const operation = "exports.get"
	if err := refuse(operation, missingID("export", id)); err != nil {
		return nil, err
	}
	return s.one(ctx, &call{operation: operation, method: http.MethodGet, path: s.client.path("exports", id.UUID().String(), "status")})
}

// List returns the exports of the app.
//
// Layer docs: Platform API, data export, listing exports.
//
//layer:operation GET /apps/:app/exports
func (s *ExportsService) List(ctx context.Context) ([]*Export, error) {
	var found listOf[wireExport, *wireExport]
	_, err := s.client.do(ctx, &call{operation: "exports.list", method: http.MethodGet, path: s.client.path("exports"), into: &found})
	if err != nil {
		return nil, err
	}
	exports := make([]*Export, len(found.items))
	for i, item := range found.items {
		exports[i] = &item.Export
	}
	return exports, nil
}

// Delete removes an export and its archive. Fails with [CodeNotFound] if there is
// none.
//
// Layer docs: Platform API, data export, deleting an export.
//
//layer:operation DELETE /apps/:app/exports/:export
func (s *ExportsService) Delete(ctx context.Context, id ExportID) error {
	const operation = "exports.delete"
	if err := refuse(operation, missingID("export", id)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodDelete, path: s.client.path("exports", id.UUID().String())})
	return err
}

func (s *ExportsService) one(ctx context.Context, call *call) (*Export, error) {
	var found wireExport
	call.into = &found
	if _, err := s.client.do(ctx, call); err != nil {
		return nil, err
	}
	return &found.Export, nil
}
