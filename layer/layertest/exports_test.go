package layertest_test

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
	"encoding/json"
	"encoding/pem"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

type exportJSON struct {
	ID          string  `json:"id"`
	Type        string  `json:"type"`
	Status      string  `json:"status"`
	DownloadURL *string `json:"download_url"`
	Key         *string `json:"encrypted_aes_key"`
	IV          *string `json:"aes_iv"`
}

func exportKey(t *testing.T, bits int) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"public_key": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))})
	if err != nil {
		t.Fatal(err)
	}
	return key, string(body)
}

func TestExportCanBeDecrypted(t *testing.T) {
	t.Parallel()
	key, body := exportKey(t, 2048)
	w := newWire(t)
	w.conversation()
	w.message(msg1, "exported")
	if a := w.do("POST", app+"/exports", ""); a.status != 422 {
		t.Errorf("without a key: got %d %s, want 422", a.status, a.body)
	}
	if a := w.do("GET", app+"/export_security", ""); a.status != 404 {
		t.Errorf("no key: got %d, want 404", a.status)
	}
	if a := w.do("PUT", app+"/export_security", body); a.status != 200 || a.body != w.do("GET", app+"/export_security", "").body {
		t.Errorf("setting the key: got %d %s", a.status, a.body)
	}
	a := w.do("POST", app+"/exports", "")
	if a.status != 202 {
		t.Fatalf("got %d %s, want 202", a.status, a.body)
	}
	id := strings.TrimPrefix(parse[exportJSON](t, a.body).ID, "layer:///exports/")
	if a := w.do("POST", app+"/exports", ""); a.status != 422 {
		t.Errorf("a second one on the same day: got %d, want 422", a.status)
	}
	var x exportJSON
	until(t, "the export is complete", func() bool {
		a := w.do("GET", app+"/exports/"+id+"/status", "")
		x = parse[exportJSON](t, a.body)
		return x.Status == "completed" && a.status == 200
	})
	if got := parse[[]exportJSON](t, w.do("GET", app+"/exports", "").body); len(got) != 1 || got[0].Type != "historical" {
		t.Errorf("the list is %+v", got)
	}
	sealed := w.storage("GET", *x.DownloadURL, nil, 0)
	files := open(t, key, x, sealed.body)
	if !strings.Contains(files["messages.json"], "exported") || !strings.Contains(files["conversations.json"], convA) {
		t.Errorf("the archive holds %v", files)
	}
	if a := w.do("DELETE", app+"/exports/"+id, ""); a.status != 204 {
		t.Errorf("deleting: got %d", a.status)
	}
	if a := w.do("DELETE", app+"/exports/"+id, ""); a.status != 404 {
		t.Errorf("deleting again: got %d", a.status)
	}
}

// open decrypts and unpacks an export.
func open(t *testing.T, key *rsa.PrivateKey, x exportJSON, sealed string) map[string]string {
	t.Helper()
	decode := func(s *string) []byte {
		b, err := base64.StdEncoding.DecodeString(*s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	secret, err := rsa.DecryptPKCS1v15(nil, key, decode(x.Key)) //nolint:staticcheck // as the archive is sealed
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		t.Fatal(err)
	}
	plain := []byte(sealed)
	cipher.NewCBCDecrypter(block, decode(x.IV)).CryptBlocks(plain, plain)
	plain = plain[:len(plain)-int(plain[len(plain)-1])]
	zip, err := gzip.NewReader(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for files := tar.NewReader(zip); ; {
		header, err := files.Next()
		if err != nil {
			return out
		}
		body, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		out[header.Name] = string(body)
	}
}

func TestExportKeysAreChecked(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for _, body := range []string{`{}`, `{"public_key":7}`, `{"public_key":"x"}`} {
		if a := w.do("PUT", app+"/export_security", body); a.status != 422 {
			t.Errorf("%s: got %d %s, want 422", body, a.status, a.body)
		}
	}
	_, weak := exportKey(t, 1024)
	if a := w.do("PUT", app+"/export_security", weak); a.status != 422 || !strings.Contains(a.body, "2048") {
		t.Errorf("1024 bits: got %d %s, want 422", a.status, a.body)
	}
}

func TestScheduledExports(t *testing.T) {
	t.Parallel()
	_, key := exportKey(t, 2048)
	synctest.Test(t, func(t *testing.T) {
		e := layertest.New(layertest.Config{})
		defer e.Close()
		direct(t, e, "PUT", app+"/export_security", key)
		if a := direct(t, e, "PUT", app+"/export_schedule", `{"interval":"hourly"}`); a.status != 422 {
			t.Errorf("hourly: got %d, want 422", a.status)
		}
		direct(t, e, "PUT", app+"/export_schedule", `{"interval":"daily","events":["message.sent"]}`)
		time.Sleep(49 * time.Hour) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if got := parse[[]exportJSON](t, direct(t, e, "GET", app+"/exports", "").body); len(got) != 2 || got[0].Type != "scheduled" {
			t.Errorf("after 49h: got %+v, want 2 exports", got)
		}
		a := direct(t, e, "GET", app+"/export_schedule", "")
		if !strings.Contains(a.body, `"interval":"daily"`) || strings.Contains(a.body, `"last_export_id":null`) || strings.Contains(a.body, `"next_export_at":null`) {
			t.Errorf("the schedule is %s", a.body)
		}
		direct(t, e, "PUT", app+"/export_schedule", `{"interval":"disabled"}`)
		time.Sleep(49 * time.Hour) //nolint:forbidigo // the bubble's clock
		if got := parse[[]exportJSON](t, direct(t, e, "GET", app+"/exports", "").body); len(got) != 2 {
			t.Errorf("after disabling: got %d exports, want 2", len(got))
		}
	})
}
