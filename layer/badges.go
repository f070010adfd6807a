package layer

// BadgesService sets the numbers on users' app icons.
type BadgesService struct{ service }
