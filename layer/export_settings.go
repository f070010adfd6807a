package layer

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ExportSecurity is the key that the archives are made for.
type ExportSecurity struct {
	// PublicKey is an RSA key of at least 2048 bits, as PEM.
	PublicKey string `json:"public_key"`
}

// Validate checks the key.
func (e ExportSecurity) Validate() error {
	const field = "public_key"
	var p problems
	block, _ := pem.Decode([]byte(e.PublicKey))
	if block == nil {
		p.add(field, "is no PEM block")
		return p.err()
	}
	var key *rsa.PublicKey
	if parsed, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		key, _ = parsed.(*rsa.PublicKey)
	} else if parsed, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		key = parsed
	}
	switch {
	case key == nil:
		p.add(field, "is no RSA public key")
	case key.N.BitLen() < 2048:
		p.add(field, "has %d bits, Layer takes 2048 or more", key.N.BitLen())
	}
	return p.err()
}

// The intervals of an [ExportSchedule].
const (
	ExportDaily    = "daily"
	ExportDisabled = "disabled"
)

// ExportSchedule is when Layer makes exports by itself.
type ExportSchedule struct {
	// Interval is [ExportDaily] or [ExportDisabled].
	Interval string `json:"interval"`
	// Events are the kinds of data; empty is all.
	Events []string `json:"events,omitempty"`

	// The rest is told by Layer.
	LastExportAt time.Time `json:"last_export_at,omitzero"`
	LastExportID ExportID  `json:"last_export_id,omitzero"`
	NextExportAt time.Time `json:"next_export_at,omitzero"`
}

func (e *ExportSchedule) accept() error {
	if e.Interval == "" {
		return errors.New("it has no interval")
	}
	e.LastExportAt, e.NextExportAt = e.LastExportAt.UTC(), e.NextExportAt.UTC()
	return nil
}

// Validate checks the interval and the events.
func (e ExportSchedule) Validate() error {
	var p problems
	if e.Interval != ExportDaily && e.Interval != ExportDisabled {
		p.add("interval", "is %s, want daily or disabled", quote(e.Interval))
	}
	for i, event := range e.Events {
		p.required(fmt.Sprintf("events[%d]", i), event)
	}
	return p.err()
}

// GetSecurity returns the key that the archives are made for.
//
// Layer docs: Platform API, data export, security.
//
//layer:operation GET /apps/:app/export_security
func (s *ExportsService) GetSecurity(ctx context.Context) (*ExportSecurity, error) {
	var found ExportSecurity
	_, err := s.client.do(ctx, &call{
		operation: "exports.get_security", method: http.MethodGet, path: s.client.path("export_security"), into: &found,
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// SetSecurity sets the key that later archives are made for. Idempotent.
//
// Layer docs: Platform API, data export, security.
//
//layer:operation PUT /apps/:app/export_security
func (s *ExportsService) SetSecurity(ctx context.Context, security ExportSecurity) error {
	const operation = "exports.set_security"
	if err := refuse(operation, security.Validate()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodPut, path: s.client.path("export_security"), body: security})
	return err
}

// GetSchedule returns when Layer makes exports by itself, and made the last.
//
// Layer docs: Platform API, data export, scheduling.
//
//layer:operation GET /apps/:app/export_schedule
func (s *ExportsService) GetSchedule(ctx context.Context) (*ExportSchedule, error) {
	var found ExportSchedule
	_, err := s.client.do(ctx, &call{
		operation: "exports.get_schedule", method: http.MethodGet, path: s.client.path("export_schedule"), into: &found,
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// SetSchedule sets when Layer makes exports by itself. Only Interval and Events
// are sent. Idempotent.
//
// Layer docs: Platform API, data export, scheduling.
//
//layer:operation PUT /apps/:app/export_schedule
func (s *ExportsService) SetSchedule(ctx context.Context, schedule ExportSchedule) error {
	const operation = "exports.set_schedule"
	if err := refuse(operation, schedule.Validate()); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPut, path: s.client.path("export_schedule"),
		body: ExportSchedule{Interval: schedule.Interval, Events: schedule.Events},
	})
	return err
}
