package layer

// Sender says who a message is from: a user of the app, or a name that is
// nobody's account ("Harbour master"). Exactly one of the two is set.
type Sender struct {
	// UserID makes the message appear to come from that participant.
	UserID string `json:"user_id,omitempty"`
	// Name is an arbitrary, non-human sender. Announcements take only this one.
	Name string `json:"name,omitempty"`
}

// FromUser is the sender that is a user of the app.
func FromUser(userID string) Sender { return Sender{UserID: userID} }

// FromName is the sender that is no user.
func FromName(name string) Sender { return Sender{Name: name} }

// Validate refuses both, neither, invalid UTF-8 and NUL.
func (s Sender) Validate() error {
	var p problems
	switch {
	case s.UserID == "" && s.Name == "":
		p.add("", "needs one of user_id and name")
	case s.UserID != "" && s.Name != "":
		p.add("", "has both user_id and name, which exclude one another")
	}
	p.text("user_id", s.UserID)
	p.text("name", s.Name)
	return p.err()
}
