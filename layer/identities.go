package layer

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
)

// Limits of an [Identity], in characters.
const (
	MaxIdentityName         = 128 // display, first and last name
	MaxIdentityAvatarURL    = 1024
	MaxIdentityPhoneNumber  = 32
	MaxIdentityEmailAddress = 255
	// MaxIdentityMetadata is how many keys the metadata may have.
	MaxIdentityMetadata = 16
)

// IdentitiesService keeps what is shown of users: names, avatar, contact data.
type IdentitiesService struct{ service }

// Identity is what is shown of a user. All of it may be empty but DisplayName.
//
// Layer docs: Platform API, identities.
type Identity struct {
	DisplayName  string `json:"display_name"`
	AvatarURL    string `json:"avatar_url,omitempty"`
	FirstName    string `json:"first_name,omitempty"`
	LastName     string `json:"last_name,omitempty"`
	PhoneNumber  string `json:"phone_number,omitempty"`
	EmailAddress string `json:"email_address,omitempty"`
	PublicKey    string `json:"public_key,omitempty"`
	// Metadata is flat, with at most [MaxIdentityMetadata] keys.
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Validate checks an identity that is to be made or replaced: a display name,
// and the limits.
func (i Identity) Validate() error {
	var p problems
	if i.DisplayName == "" {
		p.add("display_name", "is missing or empty")
	}
	p.identityText("display_name", i.DisplayName)
	p.identityText("avatar_url", i.AvatarURL)
	p.identityText("first_name", i.FirstName)
	p.identityText("last_name", i.LastName)
	p.identityText("phone_number", i.PhoneNumber)
	p.identityText("email_address", i.EmailAddress)
	p.identityText("public_key", i.PublicKey)
	if len(i.Metadata) > MaxIdentityMetadata {
		p.add("metadata", "has %d keys, Layer takes at most %d", len(i.Metadata), MaxIdentityMetadata)
	}
	for _, key := range slices.Sorted(maps.Keys(i.Metadata)) {
		if p.required("metadata", key) {
			p.text("metadata."+key, i.Metadata[key])
		}
	}
	return p.err()
}

// identityLimits are the texts of an identity, with their limits; 0 is none.
var identityLimits = map[string]int{
	"display_name":  MaxIdentityName,
	"avatar_url":    MaxIdentityAvatarURL,
	"first_name":    MaxIdentityName,
	"last_name":     MaxIdentityName,
	"phone_number":  MaxIdentityPhoneNumber,
	"email_address": MaxIdentityEmailAddress,
	"public_key":    0,
}

func (p *problems) identityText(name, value string) {
	if most := identityLimits[name]; p.text(name, value) && most > 0 {
		p.characters(name, value, most)
	}
}

// Create gives a user an identity. Fails with status 409 if there is one
// ([IdentityExists]). It is not repeated on failure: see [IdentitiesService.Upsert].
//
// Layer docs: Platform API, identities, creating an identity.
//
//layer:operation POST /apps/:app/users/:user/identity
func (s *IdentitiesService) Create(ctx context.Context, user string, identity Identity) error {
	return s.put(ctx, &call{operation: "identities.create", method: http.MethodPost}, user, identity)
}

// Get returns the identity of a user. Fails with [CodeNotFound] if there is none.
//
// Layer docs: Platform API, identities, retrieving an identity.
//
//layer:operation GET /apps/:app/users/:user/identity
func (s *IdentitiesService) Get(ctx context.Context, user string) (*Identity, error) {
	const operation = "identities.get"
	if err := refuse(operation, ValidateUserID("user", user)); err != nil {
		return nil, err
	}
	var found Identity
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodGet, path: s.client.path("users", user, "identity"), into: &found})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// Replace sets the whole identity of a user; what is left out is emptied.
// Idempotent. Fails with [CodeNotFound] if there is none, unless the server
// makes one then: what Layer did is not documented.
//
// Layer docs: Platform API, identities, replacing an identity.
//
//layer:operation PUT /apps/:app/users/:user/identity
func (s *IdentitiesService) Replace(ctx context.Context, user string, identity Identity) error {
	return s.put(ctx, &call{operation: "identities.replace", method: http.MethodPut}, user, identity)
}

// Upsert gives a user this identity, whether there was one or not: it creates,
// and replaces if there is one. Idempotent, and safe against another writer who
// creates or deletes it in between; the last writer wins.
func (s *IdentitiesService) Upsert(ctx context.Context, user string, identity Identity) error {
	const rounds = 3 // another writer would have to come between as often
	var err error
	for range rounds {
		create := &call{operation: "identities.create", method: http.MethodPost, repeatable: true}
		if err = s.put(ctx, create, user, identity); !IdentityExists(err) {
			return err
		}
		if err = s.Replace(ctx, user, identity); !isStatus(err, http.StatusNotFound) && !isStatus(err, http.StatusGone) {
			return err
		}
	}
	return err
}

// Edit changes single members of an identity: it sets and deletes them, also in
// metadata ("metadata.berth"). Idempotent. Fails with [CodeNotFound] if the user
// has no identity.
//
// Layer docs: Platform API, identities, updating an identity.
//
//layer:operation PATCH /apps/:app/users/:user/identity
func (s *IdentitiesService) Edit(ctx context.Context, user string, patch Patch) error {
	const operation = "identities.edit"
	if err := refuse(operation, ValidateUserID("user", user), inField("operations", patch.ValidateForIdentity())); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodPatch, path: s.client.path("users", user, "identity"), body: patch})
	return err
}

// Delete takes a user's identity away. Fails with [CodeNotFound] if there is none.
//
// Layer docs: Platform API, identities, deleting an identity.
//
//layer:operation DELETE /apps/:app/users/:user/identity
func (s *IdentitiesService) Delete(ctx context.Context, user string) error {
	const operation = "identities.delete"
	if err := refuse(operation, ValidateUserID("user", user)); err != nil {
		return err
	}
	_, err := s.client.do(ctx, &call{operation: operation, method: http.MethodDelete, path: s.client.path("users", user, "identity")})
	return err
}

func (s *IdentitiesService) put(ctx context.Context, call *call, user string, identity Identity) error {
	if err := refuse(call.operation, ValidateUserID("user", user), identity.Validate()); err != nil {
		return err
	}
	call.path, call.body = s.client.path("users", user, "identity"), identity
	_, err := s.client.do(ctx, call)
	return err
}

// IdentityExists tells whether Create failed because the user has an identity.
// The status decides: the code that comes with it is not documented.
func IdentityExists(err error) bool { return isStatus(err, http.StatusConflict) }

func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == status
}
