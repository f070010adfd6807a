package tasks

// identifier is an ID of package layer: it is zero where it is missing.
type identifier interface{ IsZero() bool }

// required reports an ID that is missing.
func required(field string, id identifier) error {
	if id.IsZero() {
		return wrong(field, "is missing")
	}
	return nil
}
