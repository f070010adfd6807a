package layertest

// parseMetadata reads metadata: strings and nested objects of strings. Absent
// and null are nil.
//
// Layer docs: platform, conversations, metadata.
func parseMetadata(v any, property string) (map[string]any, *failure) {
	if v == nil {
		return nil, nil //nolint:nilnil // no metadata and no failure
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, invalid(property, "it must be an object")
	}
	return m, checkMetadata(m, property)
}

func checkMetadata(m map[string]any, property string) *failure {
	for key, v := range m {
		if f := checkMetadataValue(v, property+"."+key); f != nil {
			return f
		}
	}
	return nil
}

func checkMetadataValue(v any, property string) *failure {
	switch v := v.(type) {
	case string:
		return nil
	case map[string]any:
		return checkMetadata(v, property)
	default:
		return invalid(property, "it must be a string or an object")
	}
}
