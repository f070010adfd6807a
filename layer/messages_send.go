package layer

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// SendTextFromUser sends one text/plain part from a participant. See Send.
func (s *MessagesService) SendTextFromUser(ctx context.Context, conversation ConversationID, dedupe uuid.UUID, user, text string) (*Message, error) {
	return s.Send(ctx, conversation, dedupe, SendMessageRequest{Sender: FromUser(user), Parts: []Part{Text(text)}})
}

// SendTextFromName sends one text/plain part from a name that is no user. See Send.
func (s *MessagesService) SendTextFromName(ctx context.Context, conversation ConversationID, dedupe uuid.UUID, name, text string) (*Message, error) {
	return s.Send(ctx, conversation, dedupe, SendMessageRequest{Sender: FromName(name), Parts: []Part{Text(text)}})
}

// The bounds of a [Schedule].
const (
	MinDelay = time.Second
	MaxDelay = 300 * time.Second
)

// Schedule says when a message is to be sent.
type Schedule struct {
	// Delay is from [MinDelay] to [MaxDelay].
	Delay time.Duration
	// TypingIndicator is how long, at the end of the delay, the sender is shown as
	// typing: at least [MinDelay], at most Delay; 0 shows nothing.
	TypingIndicator time.Duration
}

// Validate checks the bounds.
func (s Schedule) Validate() error {
	var p problems
	if s.Delay < MinDelay || s.Delay > MaxDelay {
		p.add("delay_in_seconds", "is %g, Layer takes 1 to 300", s.Delay.Seconds())
	}
	if s.TypingIndicator != 0 && (s.TypingIndicator < MinDelay || s.TypingIndicator > s.Delay) {
		p.add("typing_indicator_in_seconds", "is %g, Layer takes 1 to the delay", s.TypingIndicator.Seconds())
	}
	return p.err()
}

// wireSchedule is a [Schedule] on its way to Layer.
type wireSchedule struct {
	Delay           float64 `json:"delay_in_seconds"`
	TypingIndicator float64 `json:"typing_indicator_in_seconds,omitempty"`
}

// Schedule is Send after a delay. It is not sent if, meanwhile, the conversation
// is deleted or the sender removed.
//
// What Layer answers is not documented: if it is nothing, the message returned
// holds only the id, which is the dedupe UUID, and what was asked for.
//
// Layer docs: Platform API, messages, delayed messages.
//
//layer:operation POST /apps/:app/conversations/:conversation/messages
func (s *MessagesService) Schedule(ctx context.Context, conversation ConversationID, dedupe uuid.UUID, req SendMessageRequest, when Schedule) (*Message, error) {
	const operation = "messages.schedule"
	if err := refuse(operation, missingID("conversation", conversation), req.Validate(), inField("schedule", when.Validate())); err != nil {
		return nil, err
	}
	made := &Message{}
	wire := req.wire(s.client.version)
	wire.Schedule = &wireSchedule{when.Delay.Seconds(), when.TypingIndicator.Seconds()}
	_, err := s.client.do(ctx, &call{
		operation: operation, method: http.MethodPost,
		path:   s.client.path("conversations", conversation.UUID().String(), "messages"),
		dedupe: dedupe, into: made, optional: true, body: wire,
	})
	if err != nil {
		return nil, err
	}
	if made.ID.IsZero() {
		made = &Message{ID: MessageID(dedupe), Conversation: ConversationRef{ID: conversation}, Sender: req.Sender, Parts: req.Parts}
	}
	return made, nil
}

// SendRich is Send for parts of any size: the body of a part over [MaxInlineBody]
// is uploaded first, and sent as content. The UUIDs of the uploads are derived
// from the dedupe UUID and the part's place, so sending again with the same one
// neither posts a second message nor asks for more uploads. Fails as Send and
// [ContentService.Upload] do.
func (s *MessagesService) SendRich(ctx context.Context, conversation ConversationID, dedupe uuid.UUID, req SendMessageRequest) (*Message, error) {
	if err := refuse("messages.send", missingID("conversation", conversation), req.validateRich()); err != nil {
		return nil, err
	}
	parts := make([]Part, len(req.Parts))
	for i, part := range req.Parts {
		uploaded, err := s.client.Content.uploadPart(ctx, conversation, stepUUID(dedupe, i), part)
		if err != nil {
			return nil, err
		}
		parts[i] = uploaded
	}
	req.Parts = parts
	return s.Send(ctx, conversation, dedupe, req)
}
