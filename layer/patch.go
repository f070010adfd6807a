package layer

// Patch is a list of Layer-Patch operations.
type Patch []Operation

// Operation is one.
type Operation struct{}
