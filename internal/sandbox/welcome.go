package sandbox

import (
	"fmt"
	"io"

	"github.com/layerq/layerq/layer"
)

// Welcome is what a user of the sandbox needs to know.
type Welcome struct {
	RedisURL, BaseURL, AdminURL string
	App                         layer.AppID
	Token                       string
	Conversation                layer.ConversationID
}

// Write prints the addresses and a command that sends a first message, which
// works as it stands while the sandbox runs.
func (w Welcome) Write(out io.Writer) error {
	_, err := fmt.Fprintf(out, `layerq sandbox: nothing is configured, so this process serves everything, and
keeps nothing when it stops.

  Redis   %s
  Layer   %s   (emulator; app %s, token %s)
  chats   %s/_emulator/
  admin   %s/

Send a message, from another terminal:

  go run ./cmd/enqueue message --conversation %s --from %s --text "Hello, world" --wait --json

Stop with Ctrl-C.
`, w.RedisURL, w.BaseURL, w.App.UUID(), w.Token, w.BaseURL, w.AdminURL, w.Conversation, participants[0])
	return err
}
