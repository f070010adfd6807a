package layertest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// minRSA is the smallest key that an export is encrypted for.
const minRSA = 2048

func parsePublicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("it must be a PEM encoded RSA public key")
	}
	var key *rsa.PublicKey
	if parsed, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		key, _ = parsed.(*rsa.PublicKey)
	} else if key, err = x509.ParsePKCS1PublicKey(block.Bytes); err != nil {
		key = nil
	}
	switch {
	case key == nil:
		return nil, errors.New("it must be a PEM encoded RSA public key")
	case key.N.BitLen() < minRSA:
		return nil, errors.New("it must have 2048 bits or more")
	}
	return key, nil
}

// runExport makes the archive: a tar.gz under AES-256-CBC, the AES key under the
// RSA key.
func (a *app) runExport(x *export) {
	advance := func(change func(tx *tx)) {
		_, _ = a.update(func(tx *tx) (answer, *failure) { // update logs what could not be kept
			if tx.exports[x.id] == x {
				change(tx)
				tx.touch(x)
			}
			return answer{}, nil
		})
	}
	advance(func(tx *tx) { x.status, x.startedAt = exportExecuting, tx.now })
	archive, err := a.archive()
	var key, iv string
	if err == nil {
		archive, key, iv, err = encrypt(archive, x.publicKey)
	}
	if err == nil {
		err = a.e.blobs.put(x.id, bytes.NewReader(archive), int64(len(archive)))
	}
	if err != nil {
		a.e.config.Log.Error("an export failed", "error", err)
		return
	}
	advance(func(tx *tx) {
		x.status, x.completedAt, x.key, x.iv = exportCompleted, tx.now, key, iv
		tx.settings.LastExport = x.id
		tx.touch(&tx.settings)
	})
}

// archive is a tar.gz with the conversations and messages as JSON.
func (a *app) archive() ([]byte, error) {
	a.mu.RLock()
	c := &call{e: a.e, app: a, r: &http.Request{Host: "api.layer.com"}}
	conversations, messages := []wireConversation{}, []jsontext.Value{}
	for _, conv := range a.sortedConversations() {
		conversations = append(conversations, c.system(conv))
		for _, msg := range conv.messages {
			messages = append(messages, c.systemMessage(msg))
		}
	}
	a.mu.RUnlock()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	files := tar.NewWriter(zip)
	for _, file := range []struct {
		name string
		v    any
	}{{"conversations.json", conversations}, {"messages.json", messages}} {
		body := marshal(file.v)
		header := &tar.Header{Name: file.name, Mode: 0o600, Size: int64(len(body)), ModTime: time.Now()}
		if err := files.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := files.Write(body); err != nil {
			return nil, err
		}
	}
	err := errors.Join(files.Close(), zip.Close()) // which write what is left
	return out.Bytes(), err
}

// sortedConversations returns what is not deleted, oldest first.
func (a *app) sortedConversations() []*conversation {
	all := make([]*conversation, 0, a.live.conversations)
	for _, conv := range a.conversations {
		if !conv.deleted {
			all = append(all, conv)
		}
	}
	slices.SortFunc(all, func(v, w *conversation) int { return int(int64(v.order) - int64(w.order)) })
	return all
}

func encrypt(plain []byte, publicKey string) (out []byte, key, iv string, err error) {
	public, err := parsePublicKey(publicKey)
	if err != nil {
		return nil, "", "", err
	}
	secret := make([]byte, 32+aes.BlockSize)
	_, _ = rand.Read(secret) // never fails
	block, err := aes.NewCipher(secret[:32])
	if err != nil {
		return nil, "", "", err
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	out = append(slices.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, secret[32:]).CryptBlocks(out, out)
	sealed, err := rsa.EncryptPKCS1v15(rand.Reader, public, secret[:32]) //nolint:staticcheck // what openssl rsautl decrypts by default
	if err != nil {
		return nil, "", "", err
	}
	return out, base64.StdEncoding.EncodeToString(sealed), base64.StdEncoding.EncodeToString(secret[32:]), nil
}
