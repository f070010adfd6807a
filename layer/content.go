package layer

// ContentService uploads and downloads rich content.
type ContentService struct{ service }
