package layer_test

import (
	"strings"
	"testing"

	"github.com/layerq/layerq/layer"
)

func TestVerifyWebhook(t *testing.T) {
	t.Parallel()
	const signature = "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9" // of RFC 2104's well-known sentence
	body := []byte("The quick brown fox jumps over the lazy dog")
	if !layer.VerifyWebhook("key", body, signature) || !layer.VerifyWebhook("key", body, strings.ToUpper(signature)) {
		t.Error("a good signature is refused")
	}
	for _, wrong := range []string{"", "x", signature[2:], strings.Repeat("0", 40)} {
		if layer.VerifyWebhook("key", body, wrong) {
			t.Errorf("%q is taken", wrong)
		}
	}
	if layer.VerifyWebhook("other", body, signature) {
		t.Error("another key is taken")
	}
}
