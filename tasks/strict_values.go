package tasks

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/layerq/layerq/layer"
)

// decodeOverrides reads the per-user texts of a notification in both of Layer's
// shapes: the list of version 1.1 and the object by user id of version 1.0. The
// type's own UnmarshalJSON cannot tell the path of what is wrong.
func decodeOverrides(dec *jsontext.Decoder, o *layer.Overrides) error {
	if dec.PeekKind() != '{' {
		return json.UnmarshalDecode(dec, (*[]layer.Override)(o))
	}
	var byUser overridesByUser
	err := json.UnmarshalDecode(dec, &byUser)
	*o = layer.Overrides(byUser)
	return err
}

// overridesByUser keeps the order of the object's members.
type overridesByUser []layer.Override

// UnmarshalJSONFrom reads an object of user ids.
func (o *overridesByUser) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil { // the opening brace
		return err
	}
	for dec.PeekKind() != '}' {
		user, err := dec.ReadToken()
		if err != nil {
			return err
		}
		one := layer.Override{UserID: user.String()}
		var texts struct {
			Title string `json:"title"`
			Text  string `json:"text"`
			Sound string `json:"sound"`
		}
		if err := json.UnmarshalDecode(dec, &texts); err != nil {
			return err
		}
		one.Title, one.Text, one.Sound = texts.Title, texts.Text, texts.Sound
		*o = append(*o, one)
	}
	_, err := dec.ReadToken()
	return err
}

// decodeAny keeps whole numbers whole in free-form values, such as the data of
// a notification: as float64 a large ID would change silently.
func decodeAny(dec *jsontext.Decoder, value *any) error {
	if dec.PeekKind() != '0' {
		return errors.ErrUnsupported // as usual
	}
	number, err := dec.ReadValue()
	if err != nil {
		return err
	}
	text := string(number)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && text != "-0" {
		*value = n
	} else if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		*value = n
	} else if *value, err = strconv.ParseFloat(text, 64); err != nil {
		return errNumberRange
	}
	return nil
}

var errNumberRange = errors.New("is a number out of range")
