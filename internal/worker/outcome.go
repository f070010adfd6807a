package worker

// An outcome is what becomes of a task after one execution.
type outcome int

const (
	// done: the effect took place. The task is completed and its result kept.
	done outcome = iota
	// retry: the same call may succeed later. The task runs again after a
	// backoff, until its attempts are used up.
	retry
	// hold: nothing is wrong with the task; Layer takes no calls of this app for
	// now. The task runs again after a backoff, however often that has
	// happened.
	hold
	// archive: repeating cannot help. The task is kept, with the reason, for a
	// person.
	archive
	// doneBefore: an earlier delivery is known to have succeeded.
	doneBefore
	// handBack: nothing is known of the effect, and it is not the task's fault. It goes
	// to the front of its queue, as it was.
	handBack
	// abandon: the task is somebody else's by now.
	abandon
)

func (o outcome) String() string {
	switch o {
	case done:
		return "done"
	case retry:
		return "retry"
	case hold:
		return "hold"
	case archive:
		return "archive"
	case doneBefore:
		return "done_before"
	case handBack:
		return "handed_back"
	case abandon:
		return "lost"
	}
	return "unknown"
}

// A verdict is what decide says about the error of one execution.
type verdict struct {
	outcome outcome
	// counts says that Layer answered: the execution was an attempt.
	counts bool
}
