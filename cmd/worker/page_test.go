package main

import (
	"testing"

	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/internal/queue"
)

// Whoever sees that the fleet is held is told what that means.
func TestThereIsAdviceForEveryReason(t *testing.T) {
	t.Parallel()
	for _, reason := range holds.Reasons() {
		if hold := holdOf(&queue.Hold{Reason: string(reason) + ": 503", Code: string(reason)}); hold.Advice == "" {
			t.Errorf("no advice for %s", reason)
		}
	}
	if len(advice) != len(holds.Reasons()) {
		t.Errorf("advice for %d reasons, there are %d", len(advice), len(holds.Reasons()))
	}
}
