package queue

import "time"

// Republish is how often a Store puts the queues' names into asynq's set again.
const Republish = republish

// AgePublished makes s believe that it published the queues' names d earlier than it did.
func AgePublished(s *Store, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for q := range s.published {
		s.published[q] = s.published[q].Add(-d)
	}
}

// InfoOf reads what the script that counts a queue returns, at a time of the clock of whoever asks.
func InfoOf(name string, reply []any, now time.Time) (Info, error) { return newInfo(name, reply, now) }
