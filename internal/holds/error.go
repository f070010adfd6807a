package holds

import (
	"fmt"
	"time"
)

// HeldError is the error of an attempt that was not made because the fleet is
// held. Nothing is wrong with its task, which goes back to where it came from, and
// no attempt is spent.
type HeldError struct {
	Reason Reason
	// Code is what Layer answered, such as "503 service_unavailable".
	Code string
	// Until is when somebody asks Layer again.
	Until time.Time
}

// Error says why no call was made.
func (e *HeldError) Error() string {
	return fmt.Sprintf("layer is left alone (%s) until %s", describe(e.Reason, e.Code), e.Until.UTC().Format(time.RFC3339))
}

// describe is a reason for people.
func describe(reason Reason, code string) string {
	if code == "" {
		return string(reason)
	}
	return string(reason) + ": " + code
}
