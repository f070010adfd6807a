package tasks

import "github.com/layerq/layerq/layer"

// TookEffect tells, of an error of a repeated attempt, whether it says that an
// earlier one had got through: a message to be deleted is not there any more.
// Of a first attempt it is an error like any other, such as a wrong id.
func TookEffect(t Task, err error) bool {
	repeated, ok := t.(interface{ tookEffect(err error) bool })
	return ok && repeated.tookEffect(err)
}

// isGone is how a deletion fails that an earlier attempt has made.
func isGone(err error) bool {
	code := layer.CodeOf(err)
	return code == layer.CodeNotFound || code == layer.CodeObjectDeleted
}
